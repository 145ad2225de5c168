#!/usr/bin/env python3
# ===- gen_schemas.py - writes Schemas.inc from an installed PyTorch ---===//
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# This script writes the schemas of the operators that the ATen table knows, in
# PyTorch's order of registration, which decides between overloads.
# usage: python gen_schemas.py > Schemas.inc
import sys

import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed's operators
import torchvision  # registers torchvision::nms and its like

# Names without a trailing underscore bring their in-place form along.
NAMES = """
abs absolute neg negative ceil floor round trunc fix frac exp expm1 exp2 log log2 log10 log1p sin cos tan asin arcsin
acos arccos atan arctan sinh cosh tanh asinh arcsinh acosh arccosh atanh arctanh sigmoid erf special_erf special_expm1
sqrt rsqrt reciprocal sign sgn square relu relu6 hardtanh gelu silu hardswish hardsigmoid softplus leaky_relu prelu
elu selu celu mish softsign log_sigmoid hardshrink softshrink threshold glu
add sub subtract rsub mul multiply div divide true_divide floor_divide remainder fmod pow maximum minimum fmax fmin
atan2 arctan2 hypot logaddexp xlogy eq ne lt le gt ge less less_equal greater greater_equal not_equal isnan isinf
isfinite isneginf isposinf logical_and logical_or logical_xor logical_not bitwise_and bitwise_or bitwise_xor
bitwise_not bitwise_left_shift bitwise_right_shift __and__ __or__ __xor__ __lshift__ __rshift__ where clamp clip
clamp_min clamp_max lerp addcmul addcdiv nan_to_num masked_fill heaviside
to _to_copy type_as float half double int long bool contiguous clone detach alias lift_fresh_copy lift_fresh lift copy
dropout feature_dropout alpha_dropout native_dropout
zero zeros ones full empty zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty fill
scalar_tensor arange linspace eye tril triu meshgrid one_hot
view reshape flatten unflatten squeeze unsqueeze _unsafe_view view_as reshape_as permute transpose t movedim moveaxis
swapaxes swapdims numpy_T adjoint expand expand_as broadcast_to broadcast_tensors repeat tile repeat_interleave
slice select narrow unbind split split_with_sizes chunk tensor_split cat concat concatenate stack hstack vstack
flip fliplr flipud roll pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
replication_pad2d replication_pad3d slice_scatter select_scatter diagonal pixel_shuffle pixel_unshuffle
channel_shuffle unfold ravel
view_copy _reshape_copy squeeze_copy unsqueeze_copy permute_copy transpose_copy t_copy expand_copy unfold_copy
slice_copy select_copy narrow_copy unbind_copy split_copy split_with_sizes_copy alias_copy detach_copy diagonal_copy
unsafe_split unsafe_split_with_sizes unsafe_chunk mT mH matrix_H hsplit vsplit dsplit row_stack dstack column_stack
atleast_1d atleast_2d atleast_3d linalg_diagonal diagonal_scatter diag_embed diagflat trace block_diag _chunk_cat
rot90 sum_to_size combinations cartesian_prod linalg_vander as_strided_copy as_strided_scatter
scatter_reduce index_add index_copy index_fill index_reduce take put histc
huber_loss poisson_nll_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div nll_loss nll_loss_nd
nll_loss2d nll_loss_forward nll_loss2d_forward
pairwise_distance dist _cdist_forward pdist _pdist_forward soft_margin_loss margin_ranking_loss hinge_embedding_loss
cosine_embedding_loss triplet_margin_loss multi_margin_loss multilabel_margin_loss
vdot inner addr addmv tensordot kron cross linalg_cross linalg_vecdot bilinear linalg_multi_dot chain_matmul
matrix_power linalg_matrix_power linalg_matrix_norm linalg_norm
linalg_inv linalg_inv_ex inverse linalg_solve linalg_solve_ex linalg_solve_triangular triangular_solve
linalg_tensorsolve linalg_tensorinv linalg_det det linalg_slogdet slogdet logdet linalg_lu_factor linalg_lu_factor_ex
_lu_with_info linalg_lu lu_unpack linalg_lu_solve lu_solve linalg_cholesky linalg_cholesky_ex cholesky cholesky_solve
cholesky_inverse
embedding index_select gather index index_put _index_put_impl masked_select take_along_dim
linear addmm mm bmm baddbmm addbmm matmul dot mv outer ger einsum
conv1d conv2d conv3d _convolution _convolution_mode convolution conv_transpose1d conv_transpose2d conv_transpose3d
sum mean prod amax amin any all max min argmax argmin var std var_mean std_mean norm linalg_vector_norm
frobenius_norm logsumexp cumsum cumprod diff sort argsort topk count_nonzero
max_pool1d max_pool2d max_pool3d max_pool2d_with_indices avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool1d
adaptive_max_pool2d
upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
_upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d
batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
_native_batch_norm_legit_functional instance_norm group_norm native_group_norm layer_norm
native_layer_norm rms_norm _weight_norm _weight_norm_interface norm_except_dim softmax _softmax log_softmax _log_softmax special_softmax special_log_softmax
scaled_dot_product_attention _scaled_dot_product_flash_attention_for_cpu
_native_multi_head_attention _transformer_encoder_layer_fwd lstm gru lstm_cell gru_cell rnn_tanh rnn_relu
rnn_tanh_cell rnn_relu_cell
cosine_similarity l1_loss mse_loss smooth_l1_loss cross_entropy_loss grid_sampler bernoulli uniform normal rand randn
rand_like randn_like randperm multinomial nonzero unique2 _unique2 scatter scatter_add masked_scatter bucketize
searchsorted kthvalue msort median nanmedian mode nonzero_static geqrf linalg_qr linalg_householder_product orgqr ormqr embedding_bag _embedding_bag _embedding_bag_forward_only
embedding_renorm renorm _safe_softmax _softmax_backward_data _log_softmax_backward_data rrelu segment_reduce
fft_irfft fft_hfft fft_irfft2 fft_irfftn fft_hfft2 fft_hfftn fft_ihfft fft_ihfft2 fft_ihfftn fft_fftshift fft_ifftshift
_fft_r2c _fft_c2r _fft_c2c fft_fftfreq fft_rfftfreq hann_window hamming_window blackman_window
bartlett_window kaiser_window _linalg_solve_ex _linalg_det _linalg_slogdet
im2col col2im grid_sampler_2d grid_sampler_3d affine_grid_generator _upsample_bilinear2d_aa
_upsample_bicubic2d_aa
max_pool1d_with_indices max_pool3d_with_indices adaptive_max_pool3d max_unpool2d max_unpool3d as_strided diag cdist local_response_norm quantize_per_tensor dequantize logaddexp2 cummax cummin
erfc special_erfc special_erfcx special_ndtr special_log_ndtr special_ndtri erfinv special_erfinv special_entr sinc
special_sinc special_xlog1py logit special_logit deg2rad rad2deg special_spherical_bessel_j0
lgamma special_gammaln digamma special_digamma special_psi polygamma special_polygamma mvlgamma special_multigammaln
special_zeta i0 special_i0 special_modified_bessel_i0 special_i0e special_i1 special_modified_bessel_i1 special_i1e
special_modified_bessel_k0 special_modified_bessel_k1 special_scaled_modified_bessel_k0
special_scaled_modified_bessel_k1 special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1
special_airy_ai special_chebyshev_polynomial_t special_chebyshev_polynomial_u special_chebyshev_polynomial_v
special_chebyshev_polynomial_w special_shifted_chebyshev_polynomial_t special_shifted_chebyshev_polynomial_u
special_shifted_chebyshev_polynomial_v special_shifted_chebyshev_polynomial_w special_hermite_polynomial_h
special_hermite_polynomial_he special_laguerre_polynomial_l special_legendre_polynomial_p
special_exp2 special_expit special_xlogy special_log1p special_round special_logsumexp
signbit copysign nextafter frexp ldexp float_power angle isreal positive real conj conj_physical resolve_conj
resolve_neg isclose isin gcd lcm logcumsumexp trapezoid trapz cumulative_trapezoid nansum nanmean aminmax
quantile nanquantile cov corrcoef logspace tril_indices triu_indices empty_strided new_empty_strided
empty_permuted native_dropout_backward gradient randint randint_like exponential cauchy geometric log_normal
igamma igammac special_gammainc special_gammaincc
_unsafe_masked_index _unsafe_masked_index_put_accumulate nonzero_numpy argwhere bincount unique_dim unique_consecutive unique_dim_consecutive
linalg_svd _linalg_svd svd linalg_svdvals linalg_eigh _linalg_eigh linalg_eigvalsh linalg_pinv pinverse
linalg_matrix_rank linalg_cond linalg_polar linalg_matrix_sqrth linalg_matrix_exp matrix_exp ctc_loss native_batch_norm
_pack_padded_sequence _pad_packed_sequence _nested_tensor_from_mask _nested_tensor_from_mask_left_aligned
to_padded_tensor nested_to_padded_tensor _grouped_mm
view_as_complex view_as_real complex polar imag _conj fft_fft fft_ifft fft_fft2 fft_ifft2 fft_fftn fft_ifftn
fft_rfft fft_rfft2 fft_rfftn stft istft
""".split()
OTHER = ["torchvision::nms", "torchvision::roi_align", "torchvision::ps_roi_align", "torchvision::roi_pool",
         "torchvision::ps_roi_pool", "torchvision::deform_conv2d"]
OTHER += ["quantized_decomposed::" + name for name in """
quantize_per_tensor dequantize_per_tensor quantize_per_channel dequantize_per_channel choose_qparams
choose_qparams_symmetric choose_qparams_per_token _choose_qparams_per_token_asymmetric_impl
choose_qparams_per_token_asymmetric quantize_per_token dequantize_per_token quantize_per_channel_group
dequantize_per_channel_group fake_quant_per_channel convert_element_type
""".split()]
# Functions of libraries that importers take whole; their signatures as operators.
FUNCTIONS = [
    "torchvision::batched_nms(Tensor boxes, Tensor scores, Tensor idxs, float iou_threshold) -> Tensor",
    "torchvision::paste_masks_in_image(Tensor masks, Tensor boxes, int[] img_shape, int padding=1) -> Tensor",
    "torchvision::heatmaps_to_keypoints(Tensor maps, Tensor rois) -> (Tensor, Tensor)",
    "transformers::grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs) -> Tensor",
]


def main():
    seen = set()
    print("// Made by gen_schemas.py from PyTorch " + torch.__version__.split("+")[0] + "; do not edit.")
    for name in NAMES:
        for full in (f"aten::{name}", f"aten::{name}_"):
            emit(full, seen)
    for full in OTHER:
        emit(full, seen)
    for text in FUNCTIONS:
        print(f'R"({text})" "\\n"')


def emit(full, seen):
    for schema in torch._C._jit_get_schemas_for_operator(full):
        text = str(schema)
        # `out` variants write into an argument, which the importer does itself; names of dimensions and complex
        # numbers have no meaning in the graph; view.dtype is never chosen by overload resolution.
        if any(a.is_out for a in schema.arguments) or "Dimname" in text or text.startswith("aten::view.dtype"):
            continue
        isComplex = any("complex" in str(a.type) for a in [*schema.arguments, *schema.returns])
        if isComplex or text in seen:
            continue
        if not any("Tensor" in str(a.type) for a in schema.arguments) and "Tensor" not in text.rsplit("->", 1)[1]:
            continue
        seen.add(text)
        # The type of a Generator, Stream or Storage argument is only ever given None.
        print('R"(' + text + ')" "\\n"')


if __name__ == "__main__":
    main()
