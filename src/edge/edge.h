/*
 * The edge: the process that talks to clients. Unprivileged, no Python, no key files.
 *
 * It is exec'd by the supervisor with a message socket at descriptor 3 and learns everything from there: configuration, listeners, directories,
 * certificates, pools, workers (wire/message.h). N threads ("lanes"), each with its own loop and connections, share one queue (dispatch.h).
 */
#ifndef QUINTET_EDGE_EDGE_H
#define QUINTET_EDGE_EDGE_H

/* The role's main: runs until told to end. Returns the exit status. */
int edge_main(int argc, char **argv);

#endif
