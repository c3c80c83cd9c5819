/*
 * Python.h as every file of the bridge wants it: the stable ABI of 3.10, so that one build serves every CPython from there on.
 *
 * Include it first: Python.h decides on feature macros.
 */
#ifndef QUINTET_WORKER_PYTHON_H
#define QUINTET_WORKER_PYTHON_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030a0000
#endif
#include <Python.h>

#endif
