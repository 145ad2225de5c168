//===- ParserTest.cpp - tests of the TorchScript parser ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the lexer and the parser: the forms of torch's printer, the
// places in messages, and text that nests without end.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Parser.h"

#include "gtest/gtest.h"

using namespace graven::torch;
using std::string;

namespace {

std::unique_ptr<SourceFile> good(const string &text) {
  auto file = parseSource("code/m.py", text);
  if (file)
    return std::move(*file);
  ADD_FAILURE() << llvm::toString(file.takeError());
  return nullptr;
}

string bad(const string &text) {
  auto file = parseSource("code/m.py", text);
  return file ? "no error" : llvm::toString(file.takeError());
}

/// The statements of the function `f` whose body is `lines`.
struct FunctionBody {
  explicit FunctionBody(const string &lines)
      : file(good("def f(x: Tensor) -> Tensor:\n" + lines)) {}
  const Statement &at(size_t i) const {
    return *file->findFunction("f")->body.at(i);
  }
  const Expr &value(size_t i, size_t j = 0) const { return *at(i).values[j]; }
  std::unique_ptr<SourceFile> file;
};

TEST(Parser, ClassForms) {
  auto file =
      good("class M(Module):\n"
           "  __parameters__ = [\"weight\", ]\n"
           "  __buffers__ = []\n"
           "  weight : Tensor\n"
           "  __annotations__[\"0\"] = __torch__.a.___torch_mangle_1.L\n"
           "  K : Final[int] = 3\n"
           "  def forward(self: __torch__.M,\n"
           "    x: Tensor,\n"
           "    n: int=2) -> Tensor:\n"
           "    return x\n"
           "class Color(Enum):\n"
           "  RED = 1\n"
           "class I(ModuleInterface):\n"
           "  def forward(self, x: Tensor) -> Tensor:\n"
           "    pass\n");
  const ClassDef *m = file->findClass("M");
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->base, "Module");
  EXPECT_EQ(m->parameters.size(), 1u);
  EXPECT_NE(m->attribute("0"), nullptr);
  EXPECT_EQ(m->attribute("K")->value->integer, 3);
  ASSERT_NE(m->method("forward"), nullptr);
  EXPECT_EQ(m->method("forward")->parameters.size(), 3u);
  EXPECT_EQ(file->findClass("Color")->attribute("RED")->value->integer, 1);
  EXPECT_EQ(file->findClass("J"), nullptr);
}

TEST(Parser, AssignmentForms) {
  FunctionBody body("  a, b = b, a\n"
                    "  c, d = torch.topk(x, 3)\n"
                    "  e, = x\n"
                    "  w : Optional[int] = 3\n"
                    "  self.cnt = torch.add_(x, 1)\n"
                    "  torch.append(l, 2)\n"
                    "  return (a, b)\n");
  EXPECT_EQ(body.at(0).kind, Statement::Kind::Assign);
  EXPECT_EQ(body.at(0).values.size(), 2u);
  EXPECT_EQ(body.at(1).kind, Statement::Kind::Unpack);
  EXPECT_EQ(body.at(1).targets.size(), 2u);
  EXPECT_EQ(body.at(2).kind, Statement::Kind::Unpack);
  EXPECT_EQ(body.at(3).kind, Statement::Kind::Annotated);
  EXPECT_EQ(body.at(4).kind, Statement::Kind::SetAttribute);
  EXPECT_EQ(body.at(4).name, "cnt");
  EXPECT_EQ(body.at(5).kind, Statement::Kind::Expression);
  EXPECT_EQ(body.value(6).kind, Expr::Kind::Tuple);
}

TEST(Parser, Literals) {
  FunctionBody body("  a = [9223372036854775807, -9223372036854775808]\n"
                    "  b = [0.10000000000000001, 3., 1.0000000000000001e-05]\n"
                    "  c = \"a\\n\\\"q\\\"\\303\\244 {#}\"\n"
                    "  d = ((), (1,), {\"k\": 2})\n"
                    "  e = -1.5\n");
  EXPECT_EQ(body.value(0).operands[0]->integer, INT64_MAX);
  EXPECT_EQ(body.value(0).operands[1]->integer, INT64_MIN);
  EXPECT_EQ(body.value(1).operands[0]->real, 0.1);
  EXPECT_EQ(body.value(1).operands[1]->real, 3.0);
  EXPECT_EQ(body.value(2).text, "a\n\"q\"\xc3\xa4 {#}");
  EXPECT_EQ(body.value(3).operands[1]->operands.size(), 1u);
  EXPECT_EQ(body.value(4).real, -1.5);
}

TEST(Parser, CallsAndKeywords) {
  FunctionBody body("  a = (m).forward(x, torch.size(x, 0), )\n"
                    "  b = torch.to(x, dtype=6, layout=None)\n"
                    "  c = (t)[0:2]\n");
  EXPECT_EQ(body.value(0).operands.size(), 3u);
  EXPECT_EQ(body.value(1).keywords.size(), 2u);
  EXPECT_EQ(body.value(1).keywords[1].name, "layout");
  EXPECT_EQ(body.value(2).operands[1]->kind, Expr::Kind::Slice);
}

TEST(Parser, InfixOperatorsAreCalls) {
  FunctionBody body("  a = x + y * 2 - -z ** 2\n  b = not x == 1\n");
  const Expr &sub = body.value(0);
  ASSERT_EQ(sub.kind, Expr::Kind::Call);
  EXPECT_EQ(sub.operands[0]->text, "sub");
  EXPECT_EQ(sub.operands[1]->operands[0]->text, "add");
  EXPECT_EQ(sub.operands[2]->operands[0]->text, "neg");
  EXPECT_EQ(body.value(1).operands[0]->text, "__not__");
}

TEST(Parser, ControlFlow) {
  FunctionBody body("  if a:\n    pass\n  elif b:\n    c = 1\n  else:\n"
                    "    def g():\n      return 1\n"
                    "  for i in range(4):\n    y = i\n"
                    "  while c:\n    c = d\n"
                    "  with n as m:\n    pass\n");
  EXPECT_EQ(body.at(0).orelse[0]->kind, Statement::Kind::If);
  EXPECT_EQ(body.at(0).orelse[0]->orelse[0]->kind, Statement::Kind::Function);
  EXPECT_EQ(body.at(1).targets[0], "i");
  EXPECT_EQ(body.at(3).targets[0], "m");
}

TEST(Parser, ErrorsNameThePlace) {
  EXPECT_EQ(bad("def f(x):\n  y = \n"),
            "code/m.py:2:7: expected an expression");
  EXPECT_EQ(bad("def f(x):\n  y = \"abc\n"),
            "code/m.py:2:7: string does not end on its line");
  EXPECT_EQ(bad("x = 1\n"), "code/m.py:1:1: expected a class or a function");
  EXPECT_EQ(bad("def f():\n  a = 1\n b = 2\n"),
            "code/m.py:3:2: indentation matches no block");
  EXPECT_EQ(bad("def f():\n  return 9223372036854775808\n"),
            "code/m.py:2:10: integer does not fit 64 bits");
  EXPECT_EQ(bad("def f():\n  a, b = 1, 2, 3\n"),
            "code/m.py:2:3: 2 targets for 3 values");
  EXPECT_EQ(bad("def f():\n  pass\ndef f():\n  pass\n"),
            "code/m.py:3:1: function 'f' defined twice");
  EXPECT_EQ(bad("def f():\n  return torch.f(a=1, 2)\n"),
            "code/m.py:2:23: positional argument after a keyword argument");
  EXPECT_NE(bad("def f():\n  return \"\\400\"\n").find("malformed escape"),
            string::npos);
  EXPECT_NE(bad("def f():\n  return 1 ? 2\n").find("unexpected byte 63"),
            string::npos);
}

TEST(Parser, EndlessNesting) {
  string open(100000, '('), close(100000, ')');
  EXPECT_NE(bad("def f():\n  return " + open + "1" + close + "\n")
                .find("nested more than 256 deep"),
            string::npos);
  EXPECT_NE(bad("def f():\n  return " + string(100000, '[')).find("code/m.py:"),
            string::npos);
  string minus;
  for (int i = 0; i < 100000; ++i)
    minus += "- ";
  EXPECT_NE(bad("def f():\n  return " + minus + "x\n").find("deep"),
            string::npos);
  // Chains that are parsed in a loop build high trees all the same.
  string chain = "x", sum = "x";
  for (int i = 0; i < 100000; ++i) {
    chain += ".a";
    sum += "+x";
  }
  EXPECT_NE(bad("def f():\n  return " + chain + "\n").find("deep"),
            string::npos);
  EXPECT_NE(bad("def f():\n  return " + sum + "\n").find("deep"), string::npos);
  string blocks, elifs = "  if a:\n    pass\n";
  for (int i = 0; i < 5000; ++i) {
    blocks += string(i + 2, ' ') + "if a:\n";
    elifs += "  elif a:\n    pass\n";
  }
  EXPECT_NE(bad("def f():\n" + blocks).find("deep"), string::npos);
  EXPECT_NE(bad("def f():\n" + elifs).find("deep"), string::npos);
}

TEST(Parser, ManyStatementsAreFine) {
  string text = "def f(x):\n";
  for (int i = 0; i < 100000; ++i)
    text += "  y = x\n";
  auto file = good(text);
  EXPECT_EQ(file->findFunction("f")->body.size(), 100000u);
}

TEST(Parser, EveryPrefixEnds) {
  string text = "class M(Module):\n  a : Tensor\n  def f(self,\n    x: int) -> "
                "Tensor:\n    if torch.eq(x, 1):\n      a, b, = g(x)\n    else:"
                "\n      pass\n    return {\"k\": [1., -2]}\n";
  for (size_t size = 0; size <= text.size(); ++size) {
    auto file = parseSource("m.py", text.substr(0, size));
    if (!file)
      EXPECT_EQ(llvm::toString(file.takeError()).find("m.py:"), 0u) << size;
    else
      EXPECT_TRUE(size == 0 || (*file)->findClass("M")) << size;
  }
}

} // namespace
