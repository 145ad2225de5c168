//===- Peer.cpp - another runtime beside a model --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the other process and what is said between the two:
// inputs go as .npy, then each line asks for seconds of runs or the outputs.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Peer.h"
#include "dialects/support/Diagnostics.h"
#include "runtime/host/Npy.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/JSON.h"
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;

namespace graven::cli {

/// How each loads a model: its version, and a function from a list of arrays
/// to one.
static constexpr char loadOrt[] = R"python(
def load(path, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [spec.name for spec in session.get_inputs()]
    return onnxruntime.__version__, lambda arrays: session.run(None, dict(zip(names, arrays)))
)python";

static constexpr char loadTorch[] =
    R"python(
def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for part in value for tensor in flat(part)]
    return [] if value is None else [value]
def load(path, threads):
    import torch
    torch.set_num_threads(max(threads, 1))
    try:
        module = torch.jit.load(path, map_location="cpu").eval()
    except RuntimeError:
        module = torch.export.load(path).module()
    def run(arrays):
        with torch.no_grad():
            outputs = flat(module(*[torch.from_numpy(array.copy()) for array in arrays]))
        return [torch.as_tensor(output).contiguous().numpy() for output in outputs]
    def run_nodes(arrays):
        with torch.no_grad():
            return tap(module, [torch.from_numpy(array.copy()) for array in arrays])
    run.nodes = run_nodes
    return torch.__version__, run
)python"
    // Each value that a node of the module's own block gives, with the path of
    // its submodule and the lines of its source, innermost first. Copies,
    // because others may write to them afterwards.
    R"python(
def numpy_of(torch, tensor):
    try:
        return tensor.detach().contiguous().numpy()
    except TypeError:
        return None
def lines_of(text):
    import re
    found = re.findall(r'File "([^"]*)", line (\d+)|^(\S+)\((\d+)\): ', text, re.M)
    return [[(a or c).rsplit("/", 1)[-1], int(b or d)] for a, b, c, d in found]
def tap(module, inputs):
    import torch
    taps = tap_script(torch, module, inputs) if isinstance(module, torch.jit.ScriptModule) else tap_fx(torch, module, inputs)
    known = [(path, lines, numpy_of(torch, value)) for path, lines, value in taps]
    return [entry for entry in known if entry[2] is not None]
def tap_script(torch, module, inputs):
    import re
    graph = module.graph.copy()
    torch._C._jit_pass_inline(graph)
    tensor, own, taps = torch._C.TensorType.get(), len(list(graph.outputs())), []
    for node in list(graph.nodes()):
        if node.kind() in ("prim::GetAttr", "prim::Constant"):
            continue
        steps = re.sub(r"\([^()]*\)", "", node.getModuleHierarchy()).split(".")
        path = ".".join(step for step in steps if step not in ("SELF", "UNKNOWN_INSTANCE"))
        for value in node.outputs():
            if not value.type().isSubtypeOf(tensor):
                continue
            none = graph.create("prim::Constant", [], 1)
            none.output().setType(torch._C.NoneType.get())
            none.insertAfter(node)
            copy = graph.create("aten::clone", [value, none.output()], 1)
            copy.output().setType(value.type())
            copy.insertAfter(none)
            graph.registerOutput(copy.output())
            taps.append((path, lines_of(node.sourceRange())[:1]))
    if not taps:
        return []
    graph.makeMultiOutputIntoTuple()
    results = torch._C._create_function_from_graph("tapped", graph)(module._c, *inputs)
    return [(path, lines, value) for (path, lines), value in zip(taps, results[own:])]
def tap_fx(torch, module, inputs):
    taps = []
    class Tap(torch.fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            if node.op.startswith("call") and isinstance(value, torch.Tensor):
                stack = list((node.meta.get("nn_module_stack") or {}).values())
                path = stack[-1][0] if stack else ""
                lines = lines_of(node.meta.get("stack_trace") or "")[::-1]
                taps.append((path if path or lines else node.name, lines, value.clone()))
            return value
    Tap(module).run(*inputs)
    return taps
)python";

static constexpr char serve[] = R"python(
import io, sys, time
# What libraries print must not come between.
answers, sys.stdout = sys.stdout.buffer, sys.stderr
def answer(text):
    answers.write(text.encode() + b"\n")
    answers.flush()
def send(array):
    file = io.BytesIO()
    numpy.save(file, array)
    answer(str(len(file.getvalue())))
    answers.write(file.getvalue())
try:
    import numpy
    version, run = load(sys.argv[1], int(sys.argv[2]))
    inputs = []
    for _ in range(int(sys.stdin.buffer.readline())):
        size = int(sys.stdin.buffer.readline())
        inputs.append(numpy.load(io.BytesIO(sys.stdin.buffer.read(size)), allow_pickle=False))
    run(inputs)
except Exception as error:
    answer("error " + str(error).replace("\n", " "))
    sys.exit(1)
answer("ready " + version)
for line in sys.stdin.buffer:
    if line.strip() == b"nodes":
        import json
        try:
            nodes = run.nodes(inputs)
        except Exception as error:
            answer("error " + str(error).replace("\n", " "))
            continue
        answer(json.dumps([{"path": path, "lines": lines} for path, lines, _ in nodes]))
        for _, _, value in nodes:
            send(value)
        answers.flush()
        continue
    if line.strip() == b"outputs":
        outputs = run(inputs)
        answer(str(len(outputs)))
        for output in outputs:
            send(output)
        answers.flush()
        continue
    end, times = time.perf_counter() + float(line), []
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run(inputs)
        times.append((time.perf_counter() - start) * 1e3)
    answer(" ".join(map(str, times)))
)python";

StringRef peerName(PeerKind kind) {
  return kind == PeerKind::Ort ? "ONNX Runtime" : "PyTorch";
}

Peer::Peer(Peer &&other)
    : loc(other.loc), kind(other.kind),
      process(std::exchange(other.process, -1)),
      to(std::exchange(other.to, nullptr)),
      from(std::exchange(other.from, nullptr)) {}

Peer::~Peer() {
  if (to)
    std::fclose(to);
  if (from)
    std::fclose(from);
  if (process > 0)
    waitpid(process, nullptr, 0);
}

FailureOr<std::string> Peer::readLine() {
  char *line = nullptr;
  size_t capacity = 0;
  ssize_t size = getline(&line, &capacity, from);
  std::string text(line ? line : "", size > 0 ? size : 0);
  std::free(line);
  StringRef trimmed = StringRef(text).rtrim();
  if (size <= 0 || trimmed.consume_front("error "))
    return emitCoded(loc, Code::PeerFailed)
           << peerName(kind) << ": "
           << (size <= 0 ? "the Python process ended" : trimmed);
  return trimmed.str();
}

FailureOr<std::vector<std::byte>> Peer::readBlock() {
  FailureOr<std::string> line = readLine();
  size_t size = 0;
  if (failed(line))
    return failure();
  constexpr size_t most = size_t(1) << 40;
  if (StringRef(*line).getAsInteger(10, size) || size > most)
    return emitCoded(loc, Code::PeerFailed)
           << peerName(kind) << ": expected a size, got '" << *line << "'";
  std::vector<std::byte> bytes(size);
  if (std::fread(bytes.data(), 1, size, from) != size)
    return emitCoded(loc, Code::PeerFailed)
           << peerName(kind) << ": the Python process ended";
  return bytes;
}

FailureOr<Peer> Peer::start(Location loc, PeerKind kind, StringRef model,
                            int64_t threads, ArrayRef<rt::Array> inputs) {
  const char *named = std::getenv("GRAVEN_PYTHON");
  std::string python = named ? named : "python3", path = model.str(),
              count = std::to_string(threads);
  // Closed on exec, so that the process sees its input end when we close it.
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0)
    return emitCoded(loc, Code::PeerFailed) << "cannot make a pipe";
  if (pipe2(out, O_CLOEXEC) != 0) {
    close(in[0]);
    close(in[1]);
    return emitCoded(loc, Code::PeerFailed) << "cannot make a pipe";
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string text = kind == PeerKind::Ort ? loadOrt : loadTorch, dash = "-c";
  text += serve;
  char *arguments[] = {python.data(), dash.data(),  text.data(),
                       path.data(),   count.data(), nullptr};
  Peer peer(loc, kind);
  int status = posix_spawnp(&peer.process, python.c_str(), &actions, nullptr,
                            arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  peer.to = fdopen(in[1], "w");
  peer.from = fdopen(out[0], "r");
  if (status != 0) {
    peer.process = -1;
    return emitCoded(loc, Code::PeerFailed)
           << "cannot run '" << python << "': " << std::strerror(status)
           << "; GRAVEN_PYTHON names the interpreter";
  }
  // A process that ended says why in its answer, not by a signal here.
  std::signal(SIGPIPE, SIG_IGN);
  std::fprintf(peer.to, "%zu\n", inputs.size());
  for (const rt::Array &input : inputs) {
    std::string header = rt::npyHeader(input);
    std::fprintf(peer.to, "%zu\n", header.size() + input.numBytes());
    std::fwrite(header.data(), 1, header.size(), peer.to);
    std::fwrite(input.data(), 1, input.numBytes(), peer.to);
  }
  std::fflush(peer.to);
  if (failed(peer.readLine()))
    return failure();
  return peer;
}

FailureOr<std::vector<double>> Peer::run(double seconds) {
  std::fprintf(to, "%f\n", seconds);
  std::fflush(to);
  FailureOr<std::string> line = readLine();
  if (failed(line))
    return failure();
  SmallVector<StringRef> words;
  StringRef(*line).split(words, ' ', -1, /*KeepEmpty=*/false);
  std::vector<double> times;
  for (StringRef word : words)
    if (double time = 0; !word.getAsDouble(time))
      times.push_back(time);
  if (times.empty())
    return emitCoded(loc, Code::PeerFailed)
           << peerName(kind) << ": expected times, got '" << *line << "'";
  return times;
}

FailureOr<rt::Array> Peer::readArray(const std::string &name) {
  FailureOr<std::vector<std::byte>> bytes = readBlock();
  if (failed(bytes))
    return failure();
  auto array = rt::parseNpy(*bytes, name);
  if (!array)
    return LogicalResult(emitCoded(loc, Code::PeerFailed)
                         << array.error().message);
  return std::move(*array);
}

FailureOr<std::vector<PeerNode>> Peer::nodes() {
  std::fputs("nodes\n", to);
  std::fflush(to);
  FailureOr<std::string> line = readLine();
  if (failed(line))
    return failure();
  auto value = llvm::json::parse(*line);
  if (!value) {
    llvm::consumeError(value.takeError());
    return emitCoded(loc, Code::PeerFailed)
           << peerName(kind) << ": expected a list of Nodes, got '" << *line
           << "'";
  }
  std::vector<PeerNode> nodes;
  llvm::json::Array none;
  auto *entries = value->getAsArray();
  for (const llvm::json::Value &each : entries ? *entries : none) {
    const llvm::json::Object *entry = each.getAsObject();
    if (!entry)
      continue;
    PeerNode node{entry->getString("path").value_or("").str(), {}, {}};
    auto *lines = entry->getArray("lines");
    for (const llvm::json::Value &place : lines ? *lines : none)
      if (auto *pair = place.getAsArray(); pair && pair->size() == 2)
        node.lines.push_back({(*pair)[0].getAsString().value_or("").str(),
                              (*pair)[1].getAsInteger().value_or(0)});
    auto array = readArray("node " + std::to_string(nodes.size()));
    if (failed(array))
      return failure();
    node.value = std::move(*array);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

FailureOr<std::vector<rt::Array>> Peer::outputs() {
  std::fputs("outputs\n", to);
  std::fflush(to);
  FailureOr<std::string> line = readLine();
  size_t count = 0;
  if (failed(line) || StringRef(*line).getAsInteger(10, count))
    return failure();
  std::vector<rt::Array> arrays;
  for (size_t i = 0; i < count; ++i) {
    auto array = readArray("output " + std::to_string(i));
    if (failed(array))
      return failure();
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

} // namespace graven::cli
