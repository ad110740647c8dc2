"""The loss of NeCGS Eq. 3, of one mesh."""

from __future__ import annotations

from torch import Tensor

from meshset.codecs.necgs_paper.recipe import Recipe
from meshset.codecs.necgs_paper.ssim import WINDOW, ssim_map


def field_loss(prediction: Tensor, target: Tensor, resolution: int, recipe: Recipe) -> Tensor:
    """Compare two fields on a box of the grid outside of which they are equal.

    The mean absolute error over all numbers of the grid; lambda_1 times the error of the points in the band, summed
    over channels and averaged over these points; lambda_2 times 1 - SSIM, of the TSDF and of the deformation apart,
    added. (What is summed, and that the two are apart, is that of the released code.)

    Args:
        prediction: (channels, X, Y, Z), channels 1 or 4.
        target: of the same shape; its first channel is the TSDF, whose magnitude is below 1 in the band.
        resolution: K of the whole grid. The box reaches four points beyond the last difference, or to the grid's end.
        recipe: the weights.
    """
    error = (prediction - target).abs()
    whole = error.sum() / (len(target) * resolution**3)
    in_band = target[0].abs() < 1.0
    near = (error * in_band).sum() / in_band.sum().clamp(min=1)
    unlike = (1.0 - ssim_map(prediction, target)).flatten(1).sum(dim=1) / (resolution - WINDOW + 1) ** 3
    dissimilarity = unlike[0] + (unlike[1:].mean() if len(unlike) > 1 else 0.0)
    return whole + recipe.near_weight * near + recipe.ssim_weight * dissimilarity
