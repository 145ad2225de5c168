//===- Model.cpp - compiled models of Python --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Model, TensorSpec and Stats. The GIL is released while a
// model runs.
//===----------------------------------------------------------------------===//
#include "python/bindings/Model.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <unistd.h>

namespace nb = nanobind;
using namespace graven;
using namespace graven::python;

TensorSpec::TensorSpec(const GravenTensorInfo &info)
    : name(info.name), dtype(graven_dtype_name(info.dtype)) {
  nb::list extents;
  for (int32_t axis = 0; axis < info.rank; ++axis)
    if (info.extents[axis] == GRAVEN_COUNTED)
      extents.append("?");
    else if (info.extents[axis] == GRAVEN_SYMBOLIC)
      extents.append(info.symbols && info.symbols[axis] ? info.symbols[axis]
                                                        : "?");
    else
      extents.append(info.extents[axis]);
  shape = nb::tuple(extents);
}

std::string TensorSpec::text() const {
  std::string extents;
  for (nb::handle extent : shape)
    extents +=
        (extents.empty() ? "" : ",") + std::string(nb::str(extent).c_str());
  return name + ":" + dtype + "[" + extents + "]";
}

/// Of a model with code for GPUs, whether that is what a run uses here.
static bool runsOnGpu(const GravenModel &model) {
  const GravenVariant *used = model.support->variant(&model);
  return model.num_variants == 1 ||
         (used && (used->cpu_features & GRAVEN_NEEDS_GPU));
}

Model::Model(Artifact made, int threads)
    : artifact(std::move(made)), threads(threads), owner(::getpid()) {
  for (const GravenTensorInfo &info : artifact.model.outputs())
    outputs.emplace_back(info);
  nb::dict facts = stats().provenance;
  if (facts.contains("structure"))
    structure = nb::module_::import_("graven._structure")
                    .attr("Structure")(facts["structure"]);
  if (facts.contains("gpus") && runsOnGpu(artifact.model.table()))
    device = nb::module_::import_("graven._device");
  setThreads(threads);
}

Model::~Model() {
  // In the child of a fork the pool's threads are gone, and nobody may wait
  // for them; the artifact is left to the end of the process.
  if (isForked())
    new rt::LoadedModel(std::move(artifact.model));
}

bool Model::isForked() const { return threads != 1 && ::getpid() != owner; }

nb::tuple Model::specs(std::span<const GravenTensorInfo> infos) {
  nb::list list;
  for (const GravenTensorInfo &info : infos)
    list.append(TensorSpec(info));
  return nb::tuple(list);
}

nb::tuple Model::names(std::span<const GravenTensorInfo> infos) {
  nb::list list;
  for (const GravenTensorInfo &info : infos)
    list.append(nb::str(info.name));
  return nb::tuple(list);
}

void Model::setThreads(int count) {
  if (count < 1)
    throw nb::value_error("threads must be at least 1");
  rt::Status status;
  {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(running);
    status = artifact.model.setThreads(count);
    threads = status ? count : 1;
  }
  if (!status)
    raise(describe(status.error()));
}

/// The arguments in the order of the model's inputs.
std::vector<nb::handle> Model::arrange(const nb::args &args,
                                       const nb::kwargs &kwargs) const {
  auto infos = artifact.model.inputs();
  std::vector<nb::handle> values(infos.size());
  if (args.size() > infos.size())
    raise(describe(CallError::UnknownInput,
                   "model '" + name() + "': expected " +
                       std::to_string(infos.size()) + " inputs, got " +
                       std::to_string(args.size())));
  for (size_t i = 0; i < args.size(); ++i)
    values[i] = args[i];
  for (auto [key, value] : kwargs) {
    rt::Result<size_t> index = artifact.model.findInput(nb::str(key).c_str());
    if (!index)
      raise(describe(CallError::UnknownInput, index.error().message));
    if (values[*index].is_valid())
      raise(describe(CallError::UnknownInput,
                     "input '" + std::string(infos[*index].name) +
                         "' is given twice"));
    values[*index] = value;
  }
  std::string missing;
  for (size_t i = 0; i < infos.size(); ++i)
    if (!values[i].is_valid())
      missing +=
          (missing.empty() ? "'" : ", '") + std::string(infos[i].name) + "'";
  if (!missing.empty())
    raise(describe(CallError::MissingInput,
                   "model '" + name() + "': no value for input " + missing));
  return values;
}

nb::object Model::call(const nb::args &args, const nb::kwargs &kwargs) {
  nb::list results = run(args, kwargs);
  return results.size() == 1 ? nb::object(results[0]) : nb::object(results);
}

nb::list Model::run(const nb::args &args, const nb::kwargs &kwargs) {
  if (!structure.is_valid())
    return runTensors(args, kwargs);
  return nb::list(structure.attr("run")(nb::find(*this), args, kwargs));
}

nb::list Model::runTensors(const nb::args &args, const nb::kwargs &kwargs) {
  if (isForked())
    throw std::runtime_error(
        "a model with several threads does not survive a fork: load it in the "
        "child, or use one thread");
  auto infos = artifact.model.inputs();
  std::vector<nb::handle> values = arrange(args, kwargs);
  if (device.is_valid() &&
      std::any_of(values.begin(), values.end(), [&](nb::handle value) {
        return nb::cast<bool>(device.attr("is_on_device")(value));
      }))
    return runOnDevice(values);
  std::vector<Input> inputs(infos.size());
  std::vector<GravenTensor> in(infos.size()), out(outputs.size());
  for (size_t i = 0; i < infos.size(); ++i) {
    inputs[i].read(values[i], infos[i]);
    in[i] = inputs[i].tensor();
  }
  std::vector<std::vector<int64_t>> extents(outputs.size()), used;
  std::vector<nb::object> results(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto shape = artifact.model.outputExtents(artifact.model.outputs()[i], in);
    if (!shape)
      raise(describe(shape.error()));
    extents[i] = std::move(*shape);
    results[i] = outputs[i].create(extents[i], out[i]);
    out[i].used = used.emplace_back(extents[i]).data();
  }
  rt::Status status;
  {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(running);
    status = artifact.model.run(in, out);
  }
  if (!status)
    raise(describe(status.error()));
  for (size_t i = 0; i < outputs.size(); ++i)
    if (rt::LoadedModel::isCounted(artifact.model.outputs()[i]))
      results[i] = Output::shrink(std::move(results[i]), used[i]);
  nb::list list;
  for (size_t i = 0; i < results.size(); ++i)
    list.append(outputs[i].finish(std::move(results[i])));
  return list;
}

nb::list Model::runOnDevice(const std::vector<nb::handle> &values) {
  nb::list inputs;
  for (nb::handle value : values)
    inputs.append(value);
  return nb::cast<nb::list>(device.attr("run")(nb::find(*this), inputs));
}

/// Tensors at these places; each has the extents of its own.
static std::vector<GravenTensor>
tensorsAt(const std::vector<Model::Place> &places) {
  std::vector<GravenTensor> tensors;
  for (const auto &[address, dtype, extents] : places) {
    int32_t number = GRAVEN_F16;
    while (number <= GRAVEN_U2 && dtype != graven_dtype_name(number))
      ++number;
    tensors.push_back({reinterpret_cast<void *>(address), extents.data(),
                       number, static_cast<int32_t>(extents.size()), nullptr});
  }
  return tensors;
}

std::vector<nb::tuple>
Model::outputShapes(const std::vector<Place> &inputs) const {
  std::vector<nb::tuple> shapes;
  std::vector<GravenTensor> in = tensorsAt(inputs);
  for (const GravenTensorInfo &info : artifact.model.outputs()) {
    auto shape = artifact.model.outputExtents(info, in);
    if (!shape)
      raise(describe(shape.error()));
    nb::list extents;
    for (int64_t extent : *shape)
      extents.append(extent);
    shapes.push_back(nb::tuple(extents));
  }
  return shapes;
}

void Model::queue(const std::vector<Place> &inputs,
                  const std::vector<Place> &outputs, uintptr_t stream) {
  std::vector<GravenTensor> in = tensorsAt(inputs), out = tensorsAt(outputs);
  GravenParallel parallel = graven_on_stream(reinterpret_cast<void *>(stream));
  rt::Status status;
  {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(running);
    status = artifact.model.run(in, out, &parallel);
  }
  if (!status)
    raise(describe(status.error()));
}

/// Where a DLPack array is; contiguous ones only.
static Model::Place dlpackPlace(nb::handle value) {
  nb::ndarray<nb::ro, nb::c_contig> array;
  if (!nb::try_cast(value, array))
    throw nb::type_error("expected a contiguous array");
  int32_t dtype = dtypeOf(array.dtype());
  if (dtype == 0)
    throw nb::type_error("no model takes elements of this type");
  std::vector<int64_t> extents;
  extents.reserve(array.ndim());
  for (size_t axis = 0; axis < array.ndim(); ++axis)
    extents.push_back(static_cast<int64_t>(array.shape(axis)));
  return {reinterpret_cast<uintptr_t>(array.data()), graven_dtype_name(dtype),
          extents};
}

void Model::save(const std::string &path) const {
  std::vector<Message> messages;
  bool good;
  {
    nb::gil_scoped_release release;
    good = python::save(artifact.file, path, messages);
  }
  if (!good)
    raise(messages);
}

Stats Model::stats() const {
  const GravenModel &table = artifact.model.table();
  Stats stats{artifact.seconds,     artifact.kernels,     table.weights_size,
              table.workspace_size, artifact.file.size(), nb::dict()};
  std::string_view rest = table.provenance ? table.provenance : "";
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      continue;
    std::string key(line.substr(0, equals)), value(line.substr(equals + 1));
    stats.provenance[key.c_str()] = value;
  }
  return stats;
}

std::string Model::text() const {
  auto list = [](std::span<const GravenTensorInfo> infos) {
    std::string text;
    for (const GravenTensorInfo &info : infos)
      text += (text.empty() ? "" : ", ") + TensorSpec(info).text();
    return "(" + text + ")";
  };
  return "<graven.Model '" + name() + "' " + list(artifact.model.inputs()) +
         " -> " + list(artifact.model.outputs()) + ">";
}

void graven::python::bindModel(nb::module_ &module) {
  module.def("dlpack_place", &dlpackPlace, nb::arg("array"));
  nb::class_<TensorSpec>(module, "TensorSpec",
                         "One input or output of a model. str(spec) is "
                         "'NAME:f32[1,3,8,8]', which inputs= understands.")
      .def_ro("name", &TensorSpec::name, "The model's own name for it.")
      .def_ro("dtype", &TensorSpec::dtype,
              "f16 bf16 f32 f64 i1 i8 u8 i16 u16 i32 u32 i64 u64")
      .def_ro("shape", &TensorSpec::shape,
              "A tuple of extents; a str is an extent that the input decides, "
              "'?' one without a name.")
      .def("__str__", &TensorSpec::text)
      .def("__repr__", [](const TensorSpec &spec) {
        return "TensorSpec('" + spec.text() + "')";
      });

  nb::class_<Stats>(module, "Stats", "What is known about a model.")
      .def_ro("compile_seconds", &Stats::compileSeconds,
              "Wall time of compile(); None for a loaded artifact.")
      .def_ro("kernels", &Stats::kernels,
              "Distinct kernels generated; None for a loaded artifact.")
      .def_ro("weights_bytes", &Stats::weightsBytes,
              "Packed weights in the artifact.")
      .def_ro("workspace_bytes", &Stats::workspaceBytes,
              "Memory for temporaries, allocated once for each Model.")
      .def_ro("file_bytes", &Stats::fileBytes, "Size of the artifact.")
      .def_ro("provenance", &Stats::provenance,
              "What the artifact says of itself: compiler, cpu, ...")
      .def("__repr__", [](const Stats &stats) {
        std::string text = "Stats(";
        if (stats.compileSeconds)
          text += "compile_seconds=" + std::to_string(*stats.compileSeconds) +
                  ", kernels=" + std::to_string(stats.kernels.value_or(0)) +
                  ", ";
        return text + "weights_bytes=" + std::to_string(stats.weightsBytes) +
               ", workspace_bytes=" + std::to_string(stats.workspaceBytes) +
               ", file_bytes=" + std::to_string(stats.fileBytes) + ")";
      });

  nb::class_<Model>(module, "Model",
                    "A compiled model; made by graven.compile and graven.load."
                    "\n\nCall it with arrays, in the order of `inputs` or by "
                    "name.")
      .def("__call__", &Model::call,
           "Runs the model. Takes arrays in the order of `inputs` or by name; "
           "returns one\nNumPy array, or a list when there are several "
           "outputs. Contiguous arrays are read in\nplace, others are copied; "
           "elements are never converted: another dtype, rank or\nextent "
           "raises graven.Error. Threads may call one Model; their runs take "
           "turns.\nA sequence of ONNX is a list, an optional that holds "
           "nothing None.")
      .def("run", &Model::run,
           "As a call, with a list of the outputs, also of one.")
      .def("_run_tensors", &Model::runTensors)
      .def("_output_shapes", &Model::outputShapes)
      .def("_queue", &Model::queue)
      .def(
          "queue",
          [](nb::handle self, nb::handle inputs, nb::handle outputs,
             nb::handle stream) {
            nb::module_::import_("graven._device")
                .attr("queue")(self, inputs, outputs, stream);
          },
          nb::arg("inputs"), nb::arg("outputs"),
          nb::arg("stream").none() = nb::none(),
          "Of a model for GPUs: queues a run on a stream and returns. Inputs "
          "and outputs are lists of\ncontiguous arrays, of the GPU (PyTorch, "
          "__cuda_array_interface__, DLPack) or the host,\nof which the run "
          "then waits for the end. `stream` is a CUstream as an int; None is "
          "the\ncurrent one of the arrays' library. The arrays must live until "
          "the stream came to the\nend.")
      .def(
          "save",
          [](const Model &model, nb::handle path) {
            model.save(nb::cast<std::string>(
                nb::module_::import_("os").attr("fsdecode")(path)));
          },
          nb::arg("path"),
          "Writes the artifact (a shared object that graven.load and C "
          "programs load) to\n`path`, whole or not at all. Raises "
          "graven.Error (GRV0003).")
      .def_prop_ro("name", &Model::name, "Prefix of the artifact's C symbols.")
      .def_prop_ro("inputs", &Model::inputSpecs, "A TensorSpec for each input.")
      .def_prop_ro("outputs", &Model::outputSpecs,
                   "A TensorSpec for each output.")
      .def_prop_ro("input_names", &Model::inputNames)
      .def_prop_ro("output_names", &Model::outputNames)
      .def_prop_ro("stats", &Model::stats, "Times and sizes, see Stats.")
      .def_prop_rw("threads", &Model::getThreads, &Model::setThreads,
                   "How many threads a run uses, the calling one included.")
      .def("__repr__", &Model::text);
}
