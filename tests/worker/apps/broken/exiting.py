import sys

sys.exit("SECRET_KEY is missing")
