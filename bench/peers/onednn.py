"""What single convolutions need of oneDNN's C interface (onednn_peer.py), by ctypes.

Constants and calls: oneDNN developer guide and C headers, version 3 (Apache 2.0),
https://uxlfoundation.github.io/oneDNN.
"""

import ctypes
import importlib.metadata

CPU, IN_ORDER, F32, ANY = 1, 1, 3, 1
TRAINING, DIRECT, DIRECT_TRANSPOSED = 64, 1, 0xA
# Tensors, as arguments of an execution.
SRC, DST, WEIGHTS, DIFF_SRC, DIFF_DST, DIFF_WEIGHTS = 1, 17, 33, 129, 145, 161
# What a primitive descriptor says about the memory of each.
QUERIES = {SRC: 129, DIFF_SRC: 130, WEIGHTS: 131, DIFF_WEIGHTS: 132, DST: 133, DIFF_DST: 134}


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_int), ("memory", ctypes.c_void_p)]


PACKAGE = "onednn-cpu-gomp"


def _load():
    for file in importlib.metadata.files(PACKAGE) or ():
        if file.name == "libdnnl.so.3":
            return ctypes.CDLL(str(file.locate()))
    raise SystemExit(f"{PACKAGE} has no libdnnl.so.3; requirements.txt has the version that does")


_library = _load()


class Version(ctypes.Structure):
    _fields_ = [(part, ctypes.c_int) for part in ("major", "minor", "patch")]


def version():
    """The library's, which is not the package's."""
    query = _library.dnnl_version
    query.restype = ctypes.POINTER(Version)
    told = query().contents
    return f"{told.major}.{told.minor}.{told.patch}"


def _call(name, *arguments):
    status = getattr(_library, "dnnl_" + name)(*arguments)
    if status != 0:
        raise SystemExit(f"oneDNN: {name} answered {status}")


def _made(name, *arguments):
    """The handle that a call writes through its first argument."""
    handle = ctypes.c_void_p()
    _call(name, ctypes.byref(handle), *arguments)
    return handle


def numbers(values):
    return (ctypes.c_int64 * len(values))(*values)


ENGINE = _made("engine_create", CPU, ctypes.c_size_t(0))
STREAM = _made("stream_create", ENGINE, IN_ORDER)


def description(shape, strides=None):
    """Of f32 memory; without strides oneDNN chooses how it lies."""
    if strides is None:
        return _made("memory_desc_create_with_tag", len(shape), numbers(shape), F32, ANY)
    return _made("memory_desc_create_with_strides", len(shape), numbers(shape), F32,
                 numbers(strides))


def primitive_description(name, *arguments):
    return _made(name + "_primitive_desc_create", ENGINE, *arguments)


def described(primitive_desc, argument):
    query = _library.dnnl_primitive_desc_query_md
    query.restype = ctypes.c_void_p
    return ctypes.c_void_p(query(primitive_desc, QUERIES[argument], 0))


def memory(desc, array=None):
    """Of a numpy array, or of oneDNN's own."""
    owner = ctypes.c_void_p(-1) if array is None else ctypes.c_void_p(array.ctypes.data)
    return _made("memory_create", desc, ENGINE, owner)


def execution(primitive_desc, memories):
    """A function that runs it once. memories: by argument."""
    primitive = _made("primitive_create", primitive_desc)
    given = (Argument * len(memories))(
        *(Argument(which, handle.value) for which, handle in memories.items()))

    def run():
        _call("primitive_execute", primitive, STREAM, len(given), given)
        _call("stream_wait", STREAM)

    return run


def copy(from_desc, from_memory, to_desc, to_memory):
    """Into another way to lie in memory."""
    how = _made("reorder_primitive_desc_create", from_desc, ENGINE, to_desc, ENGINE, None)
    execution(how, {SRC: from_memory, DST: to_memory})()
