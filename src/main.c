/*
 * The program: an edge when the supervisor has started it as one, otherwise the command line.
 */
#include <string.h>
#include <unistd.h>

#include "edge/edge.h"
#include "os/proc.h"
#include "super/commands.h"

int main(int argc, char **argv)
{
    static const char edge[] = "quintet: edge";

    if (argc > 0 && strncmp(argv[0], edge, sizeof(edge) - 1) == 0)
        return edge_main(argc, argv);
    proc_move_environment(); /* `quintet run` alone has no room for a title */
    return commands_main(argc, argv, environ);
}
