/* The program: picks the role. */
int main(void)
{
    return 0;
}
