"""Arrays in the memory of the null driver (null_driver.c), as libraries for GPUs have them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ctypes

import numpy

driver = ctypes.CDLL("libcuda.so.1")
driver.cuCtxPushCurrent_v2(ctypes.byref(ctypes.c_int()))


class Array:
    """One with the array interface."""

    def __init__(self, values, stream=None):
        self.shape, self.dtype, self.stream = values.shape, values.dtype, stream
        address = ctypes.c_uint64()
        assert driver.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(max(1, values.nbytes))) == 0
        self.address = address.value
        ctypes.memmove(self.address, values.tobytes(), values.nbytes)

    @property
    def __cuda_array_interface__(self):
        return {"shape": self.shape, "typestr": self.dtype.str, "data": (self.address, False), "version": 3,
                "stream": self.stream}


class Turned(Array):
    """One whose elements are in another order."""

    @property
    def __cuda_array_interface__(self):
        size = self.dtype.itemsize
        return super().__cuda_array_interface__ | {"strides": (size, size * self.shape[0])}


def empty(shape, dtype):
    return Array(numpy.zeros(shape, dtype))


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.c_void_p), ("offset", ctypes.c_uint64),
                ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class Exchanged:
    """One with DLPack alone; f32."""

    def __init__(self, values):
        self._array = Array(values)
        self._shape = (ctypes.c_int64 * values.ndim)(*values.shape)
        self._tensor = _Tensor(self._array.address, 2, 0, values.ndim, 2, 32, 1, self._shape)

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, **_):
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return make(ctypes.addressof(self._tensor), b"dltensor", None)
