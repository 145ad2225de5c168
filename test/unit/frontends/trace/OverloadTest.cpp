//===- OverloadTest.cpp - tests of calls as people write them ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that the generated functions take the calls that programs
// make, without ambiguity, and mean PyTorch's overload: most of it is that it
// compiles.
//
//===----------------------------------------------------------------------===//

#include "test/unit/frontends/trace/TraceFixture.h"

using namespace graven;
using namespace graven::trace;

namespace {

using Shape = std::vector<int64_t>;

class OverloadTest : public TraceFixture {
protected:
  void expectShape(const Tensor &tensor, Shape shape) {
    EXPECT_TRUE(tensor.isValid()) << errors;
    EXPECT_EQ(tensor.shape().vec(), shape);
  }
};

TEST_F(OverloadTest, Convolutions) {
  Tensor x = input({1, 4, 9, 9}), w = zeros(*trace, {8, 4, 3, 3});
  Tensor b = zeros(*trace, {8});
  expectShape(conv2d(x, w), {1, 8, 7, 7});
  expectShape(conv2d(x, w, b), {1, 8, 7, 7});
  expectShape(conv2d(x, w, {}, 2, 1), {1, 8, 5, 5});
  expectShape(conv2d(x, w, b, {1, 2}, {0, 1}), {1, 8, 7, 5});
  expectShape(conv2d(x, w, b, 1, "same"), {1, 8, 9, 9});
  expectShape(conv2d(x, w, b, 1, 0), {1, 8, 7, 7});
  Tensor t = zeros(*trace, {4, 2, 2, 2});
  expectShape(conv_transpose2d(x, t, {}, 2), {1, 2, 18, 18});
  expectShape(max_pool2d(x, 3, 2, 1), {1, 4, 5, 5});
  expectShape(avg_pool2d(x, {3, 3}), {1, 4, 3, 3});
  expectShape(adaptive_avg_pool2d(x, 1), {1, 4, 1, 1});
}

TEST_F(OverloadTest, Reductions) {
  Tensor x = input({2, 3, 4});
  expectShape(sum(x), {});
  expectShape(sum(x, 1), {2, 4});
  expectShape(sum(x, {0, 2}, true), {1, 3, 1});
  expectShape(mean(x, {1, 2}), {2});
  expectShape(mean(x, 0), {3, 4});
  expectShape(var(x, 1), {2, 4});
  expectShape(var(x, {1}, false), {2, 4});
  expectShape(graven::trace::std(x, 1, true), {2, 4});
  expectShape(max(x), {});
  auto [values, indices] = max(x, 2);
  expectShape(values, {2, 3});
  EXPECT_EQ(indices.dtype(), DType::Long);
  expectShape(max(x, x), {2, 3, 4});
  expectShape(argmax(x, 1), {2, 4});
  expectShape(amax(x, {0, 1}), {4});
  expectShape(softmax(x, -1), {2, 3, 4});
  expectShape(cumsum(x, 1), {2, 3, 4});
  auto [best, where] = topk(x, 2);
  expectShape(best, {2, 3, 2});
}

TEST_F(OverloadTest, Shapes) {
  Tensor x = input({2, 3, 4});
  expectShape(reshape(x, {6, -1}), {6, 4});
  expectShape(view(x, {24}), {24});
  expectShape(flatten(x), {24});
  expectShape(flatten(x, 1), {2, 12});
  expectShape(permute(x, {2, 0, 1}), {4, 2, 3});
  expectShape(transpose(x, 0, -1), {4, 3, 2});
  expectShape(unsqueeze(x, 0), {1, 2, 3, 4});
  expectShape(squeeze(unsqueeze(x, 0), 0), {2, 3, 4});
  expectShape(expand(unsqueeze(x, 0), {5, 2, 3, 4}), {5, 2, 3, 4});
  expectShape(cat({x, x}, 1), {2, 6, 4});
  expectShape(stack({x, x}), {2, 2, 3, 4});
  EXPECT_EQ(split(x, 2, 2).size(), 2u);
  EXPECT_EQ(chunk(x, 2, 0).size(), 2u);
  EXPECT_EQ(unbind(x, 1).size(), 3u);
  expectShape(split(x, {1, 3}, 2).at(1), {2, 3, 3});
  expectShape(slice(x, 1, 1, 3), {2, 2, 4});
  expectShape(select(x, 0, 1), {3, 4});
  expectShape(pad(x, {1, 1}), {2, 3, 6});
  expectShape(pad(x, {1, 1}, "constant", 2.5), {2, 3, 6});
  expectShape(roll(x, 1, 0), {2, 3, 4});
}

TEST_F(OverloadTest, Indexing) {
  Tensor x = input({4, 3}), i = arange(*trace, 2);
  expectShape(index_select(x, 0, i), {2, 3});
  expectShape(embedding(x, i), {2, 3});
  expectShape(index(x, {Tensor(), i}), {4, 2});
  expectShape(where(x > 0, x, -x), {4, 3});
  expectShape(where(x > 0, x, 0.0), {4, 3});
  expectShape(masked_fill(x, x > 0, 1), {4, 3});
  expectShape(gather(x, 1, zeros(*trace, {4, 1}, DType::Long)), {4, 1});
}

TEST_F(OverloadTest, Arithmetic) {
  Tensor x = input({2, 2});
  expectShape(add(x, x, 2), {2, 2});
  expectShape(add(x, 1), {2, 2});
  expectShape(pow(x, 2), {2, 2});
  expectShape(pow(x, x), {2, 2});
  expectShape(clamp(x, 0, 6), {2, 2});
  expectShape(clamp(x, {}, 1.5), {2, 2});
  expectShape(clamp(x, x, x), {2, 2});
  expectShape(div(x, 2, "floor"), {2, 2});
  expectShape(div(x, x), {2, 2});
  expectShape(gelu(x), {2, 2});
  expectShape(gelu(x, "tanh"), {2, 2});
  expectShape(leaky_relu(x, 0.2), {2, 2});
  expectShape(maximum(x, abs(-x)), {2, 2});
  expectShape((x >= 0) & ~(x == 1) | (x != 2), {2, 2});
  EXPECT_EQ(to(x, DType::Half).dtype(), DType::Half);
}

TEST_F(OverloadTest, Networks) {
  Tensor x = input({2, 6, 8}), w = zeros(*trace, {4, 8}),
         s = zeros(*trace, {8});
  expectShape(linear(x, w), {2, 6, 4});
  expectShape(matmul(x, transpose(x, 1, 2)), {2, 6, 6});
  expectShape(einsum("bij,bkj->bik", {x, x}), {2, 6, 6});
  expectShape(layer_norm(x, 8, s, s), {2, 6, 8});
  expectShape(batch_norm(x, zeros(*trace, 6), zeros(*trace, 6),
                         zeros(*trace, 6), ones(*trace, 6), false, 0.1, 1e-5,
                         false),
              {2, 6, 8});
  expectShape(group_norm(x, 2), {2, 6, 8});
  Tensor q = reshape(x, {2, 6, 2, 4});
  expectShape(scaled_dot_product_attention(q, q, q), {2, 6, 2, 4});
  expectShape(gru_cell(select(x, 1, 0), zeros(*trace, {2, 3}),
                       zeros(*trace, {9, 8}), zeros(*trace, {9, 3})),
              {2, 3});
  auto [y, h, c] = lstm(x, {zeros(*trace, {1, 2, 3}), zeros(*trace, {1, 2, 3})},
                        {zeros(*trace, {12, 8}), zeros(*trace, {12, 3})}, false,
                        1, 0.0, false, false, true);
  expectShape(y, {2, 6, 3});
  expectShape(dropout(x, 0.5, false), {2, 6, 8});
}

TEST_F(OverloadTest, MakersOfTensors) {
  expectShape(zeros(*trace, {2, 3}), {2, 3});
  expectShape(zeros(*trace, {}), {});
  expectShape(full(*trace, {2}, 1.5), {2});
  EXPECT_EQ(full(*trace, {2}, 1).dtype(), DType::Long);
  expectShape(arange(*trace, 5), {5});
  expectShape(arange(*trace, 1, 5, 2), {2});
  expectShape(eye(*trace, 3), {3, 3});
  EXPECT_EQ(ones(*trace, 2, DType::Int).dtype(), DType::Int);
  expectShape(zeros_like(ones(*trace, {4, 4})), {4, 4});
}

} // namespace
