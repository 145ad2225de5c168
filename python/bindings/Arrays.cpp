//===- Arrays.cpp - Python's arrays as tensors ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading arguments through the buffer protocol or DLPack,
// and making outputs by NumPy. bf16, which NumPy has not, is ml_dtypes' type,
// or its bits as uint16.
//===----------------------------------------------------------------------===//
#include "python/bindings/Arrays.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace nb = nanobind;
using namespace graven::python;

void graven::python::raise(const std::vector<Message> &messages) {
  nb::list diagnostics;
  for (const Message &message : messages) {
    nb::list notes;
    for (const std::string &note : message.notes)
      notes.append(nb::str(note.c_str(), note.size()));
    nb::list needed;
    for (const auto &[name, position] : message.needed)
      needed.append(
          nb::make_tuple(nb::str(name.c_str(), name.size()), position));
    auto text = [](const std::string &s) {
      return nb::steal<nb::object>(PyUnicode_DecodeUTF8(
          s.data(), static_cast<Py_ssize_t>(s.size()), "replace"));
    };
    nb::object none = nb::none();
    diagnostics.append(nb::make_tuple(
        text(message.severity),
        message.code.empty() ? none : text(message.code), text(message.text),
        message.location.empty() ? none : text(message.location),
        nb::tuple(notes), nb::tuple(needed)));
  }
  nb::object error =
      nb::module_::import_("graven._errors").attr("make_error")(diagnostics);
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())),
                  error.ptr());
  throw nb::python_error();
}

void graven::python::raise(Message message) {
  raise(std::vector<Message>{std::move(message)});
}

/// The element type of a format of the struct module, 0 when there is none.
static int32_t dtypeOfFormat(const char *format, Py_ssize_t size) {
  if (!format)
    return GRAVEN_U8;
  bool swapped = *format == '>' || *format == '!';
  if (std::strchr("@=<>!", *format) && *format)
    ++format;
  if (!*format || format[1] || (swapped && size > 1))
    return 0;
  auto bySize = [&](int32_t one, int32_t two, int32_t four, int32_t eight) {
    return size == 1   ? one
           : size == 2 ? two
           : size == 4 ? four
           : size == 8 ? eight
                       : 0;
  };
  if (std::strchr("bhilqn", *format))
    return bySize(GRAVEN_I8, GRAVEN_I16, GRAVEN_I32, GRAVEN_I64);
  if (std::strchr("BHILQN", *format))
    return bySize(GRAVEN_U8, GRAVEN_U16, GRAVEN_U32, GRAVEN_U64);
  if (std::strchr("efd", *format))
    return bySize(0, GRAVEN_F16, GRAVEN_F32, GRAVEN_F64);
  return *format == '?' ? GRAVEN_I1 : 0;
}

int32_t graven::python::dtypeOf(nb::dlpack::dtype type) {
  using Kind = nb::dlpack::dtype_code;
  if (type.lanes != 1)
    return 0;
  auto byBits = [&](int32_t one, int32_t two, int32_t four, int32_t eight) {
    return type.bits == 8    ? one
           : type.bits == 16 ? two
           : type.bits == 32 ? four
           : type.bits == 64 ? eight
                             : 0;
  };
  switch (static_cast<Kind>(type.code)) {
  case Kind::Int:
    return byBits(GRAVEN_I8, GRAVEN_I16, GRAVEN_I32, GRAVEN_I64);
  case Kind::UInt:
    return byBits(GRAVEN_U8, GRAVEN_U16, GRAVEN_U32, GRAVEN_U64);
  case Kind::Float:
    return byBits(0, GRAVEN_F16, GRAVEN_F32, GRAVEN_F64);
  case Kind::Bfloat:
    return byBits(0, GRAVEN_BF16, 0, 0);
  case Kind::Bool:
    return byBits(GRAVEN_I1, 0, 0, 0);
  default:
    return 0;
  }
}

/// Whether elements of `size` bytes lie where the ABI wants them.
static bool isAligned(const void *data, size_t size) {
  return size == 0 || reinterpret_cast<uintptr_t>(data) % size == 0;
}

Input::~Input() {
  if (view.obj)
    PyBuffer_Release(&view);
}

void Input::copyStrided(const char *source, const int64_t *byteStrides) {
  size_t size = graven_dtype_size(dtype), count = size;
  for (int32_t axis = 0; axis < rank; ++axis)
    count *= static_cast<size_t>(extents[axis]);
  copy.resize(count);
  data = copy.data();
  if (count == 0)
    return;
  std::vector<int64_t> index(static_cast<size_t>(rank), 0);
  for (size_t done = 0; done < count; done += size) {
    std::memcpy(copy.data() + done, source, size);
    for (int32_t axis = rank - 1; axis >= 0; --axis) {
      source += byteStrides[axis];
      if (++index[static_cast<size_t>(axis)] < extents[axis])
        break;
      source -= byteStrides[axis] * extents[axis];
      index[static_cast<size_t>(axis)] = 0;
    }
  }
}

bool Input::readBuffer(PyObject *value, const GravenTensorInfo &info) {
  if (!PyObject_CheckBuffer(value))
    return false;
  if (PyObject_GetBuffer(value, &view, PyBUF_RECORDS_RO) != 0) {
    PyErr_Clear();
    view.obj = nullptr;
    return false;
  }
  dtype = dtypeOfFormat(view.format, view.itemsize);
  rank = view.ndim;
  static_assert(sizeof(Py_ssize_t) == sizeof(int64_t));
  extents = reinterpret_cast<const int64_t *>(view.shape);
  data = view.buf;
  // As in .npy files: the bits of bf16 may come as u16.
  if (dtype == GRAVEN_U16 && info.dtype == GRAVEN_BF16)
    dtype = GRAVEN_BF16;
  if (dtype && (!PyBuffer_IsContiguous(&view, 'C') ||
                !isAligned(data, graven_dtype_size(dtype))))
    copyStrided(static_cast<const char *>(view.buf),
                reinterpret_cast<const int64_t *>(view.strides));
  return true;
}

bool Input::readDlpack(nb::handle value) {
  if (!nb::hasattr(value, "__dlpack__") ||
      !nb::try_cast(value, shared, /*convert=*/false))
    return false;
  dtype = dtypeOf(shared.dtype());
  rank = static_cast<int32_t>(shared.ndim());
  size_t size = graven_dtype_size(dtype);
  bool contiguous = true;
  int64_t stride = 1;
  std::vector<int64_t> byteStrides(static_cast<size_t>(rank));
  ownExtents.resize(static_cast<size_t>(rank));
  for (size_t axis = ownExtents.size(); axis-- > 0;) {
    ownExtents[axis] = static_cast<int64_t>(shared.shape(axis));
    byteStrides[axis] = shared.stride(axis) * static_cast<int64_t>(size);
    contiguous &= ownExtents[axis] == 1 || shared.stride(axis) == stride;
    stride *= ownExtents[axis];
  }
  extents = ownExtents.data();
  data = const_cast<void *>(static_cast<const void *>(shared.data()));
  if (stride != 0 && dtype && (!contiguous || !isAligned(data, size)))
    copyStrided(static_cast<const char *>(data), byteStrides.data());
  return true;
}

/// What messages call the argument's type: its dtype, or its Python type.
static std::string describeType(nb::handle value) {
  if (!nb::hasattr(value, "dtype"))
    return nb::str(value.type().attr("__name__")).c_str();
  nb::object type = value.attr("dtype");
  return nb::str(type).c_str();
}

namespace {
/// A type of ml_dtypes: how NumPy stores its elements, and whether they have to
/// be converted to it.
struct ForeignType {
  std::string_view name;
  int32_t dtype;
  const char *storage;
  bool isConverted;
};
constexpr ForeignType foreignTypes[] = {
    {"bfloat16", GRAVEN_BF16, "uint16", false},
    {"float8_e4m3fn", GRAVEN_F8E4M3FN, "uint8", false},
    {"float8_e4m3fnuz", GRAVEN_F8E4M3FNUZ, "uint8", false},
    {"float8_e5m2", GRAVEN_F8E5M2, "uint8", false},
    {"float8_e5m2fnuz", GRAVEN_F8E5M2FNUZ, "uint8", false},
    {"float8_e8m0fnu", GRAVEN_F8E8M0FNU, "uint8", false},
    {"float4_e2m1fn", GRAVEN_F4E2M1FN, "uint8", false},
    {"int4", GRAVEN_I4, "int8", true},
    {"uint4", GRAVEN_U4, "uint8", true},
    {"int2", GRAVEN_I2, "int8", true},
    {"uint2", GRAVEN_U2, "uint8", true}};
} // namespace

bool Input::readForeign(nb::handle value, const GravenTensorInfo &info) {
  if (!nb::hasattr(value, "view") || !nb::hasattr(value, "astype"))
    return false;
  std::string name = describeType(value);
  for (const ForeignType &type : foreignTypes) {
    if (type.name != name)
      continue;
    keep = value.attr(type.isConverted ? "astype" : "view")(type.storage);
    bool isRead = readBuffer(keep.ptr(), info);
    dtype = type.dtype;
    return isRead;
  }
  return false;
}

void Input::read(nb::handle value, const GravenTensorInfo &info) {
  bool isRead = readBuffer(value.ptr(), info) || readForeign(value, info);
  // PyTorch lends nothing of a tensor whose gradient it is to compute.
  if (!isRead && nb::hasattr(value, "requires_grad") &&
      nb::cast<bool>(value.attr("requires_grad"))) {
    keep = value.attr("detach")();
    value = keep;
  }
  std::string name = "input '" + std::string(info.name) + "': expected ";
  if (!isRead && !readDlpack(value)) {
    PyErr_Clear();
    throw nb::type_error(
        (name + "an array in the CPU's memory, got " + describeType(value))
            .c_str());
  }
  if (!dtype)
    raise(
        describe(CallError::BadInputType, name + graven_dtype_name(info.dtype) +
                                              ", got " + describeType(value)));
}

/// What NumPy calls an element type.
static const char *numpyName(int32_t dtype) {
  switch (dtype) {
  case GRAVEN_F16:
    return "float16";
  case GRAVEN_F32:
    return "float32";
  case GRAVEN_F64:
    return "float64";
  case GRAVEN_I1:
    return "bool";
  case GRAVEN_I8:
    return "int8";
  case GRAVEN_U8:
    return "uint8";
  case GRAVEN_I16:
    return "int16";
  case GRAVEN_I32:
    return "int32";
  case GRAVEN_U32:
    return "uint32";
  case GRAVEN_I64:
    return "int64";
  case GRAVEN_U64:
    return "uint64";
  default:
    return "uint16";
  }
}

Output::Output(const GravenTensorInfo &info) : dtype(info.dtype) {
  nb::module_ numpy = nb::module_::import_("numpy");
  empty = numpy.attr("empty");
  auto foreign = std::ranges::find(foreignTypes, dtype, &ForeignType::dtype);
  bool isForeign = foreign != std::end(foreignTypes);
  storage =
      numpy.attr("dtype")(isForeign ? foreign->storage : numpyName(dtype));
  if (!isForeign)
    return;
  isConverted = foreign->isConverted;
  try {
    type = numpy.attr("dtype")(nb::module_::import_("ml_dtypes")
                                   .attr(std::string(foreign->name).c_str()));
  } catch (nb::python_error &error) {
    if (!error.matches(PyExc_ImportError))
      throw;
  }
}

static nb::object shapeOf(std::span<const int64_t> extents) {
  nb::object shape = nb::steal<nb::object>(
      PyTuple_New(static_cast<Py_ssize_t>(extents.size())));
  if (!shape)
    throw nb::python_error();
  for (size_t axis = 0; axis < extents.size(); ++axis)
    PyTuple_SetItem(shape.ptr(), static_cast<Py_ssize_t>(axis),
                    PyLong_FromLongLong(extents[axis]));
  return shape;
}

nb::object Output::shrink(nb::object array, std::span<const int64_t> extents) {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  bool isSmall = count < nb::cast<int64_t>(array.attr("size")) / 2;
  array = array.attr("reshape")(
      -1)[nb::slice(nb::int_(0), nb::int_(count), nb::none())];
  // A few elements are not to keep the memory of many.
  if (isSmall)
    array = array.attr("copy")();
  return array.attr("reshape")(shapeOf(extents));
}

nb::object Output::create(std::span<const int64_t> extents,
                          GravenTensor &tensor) const {
  nb::object shape = shapeOf(extents);
  nb::object array = empty(shape, storage);
  Py_buffer view;
  if (PyObject_GetBuffer(array.ptr(), &view, PyBUF_CONTIG) != 0)
    throw nb::python_error();
  tensor = {view.buf, extents.data(), dtype,
            static_cast<int32_t>(extents.size()), nullptr};
  // The array stays alive and has no other owner yet, so its memory stays.
  PyBuffer_Release(&view);
  return array;
}

nb::object Output::finish(nb::object array) const {
  if (!type.is_valid())
    return array;
  return array.attr(isConverted ? "astype" : "view")(type);
}
