"""A mask as one simple shape, in percent of the image."""

import math

import cv2
import numpy as np

from server.core.prediction import Mask


def rectangle(mask: Mask) -> dict[str, float]:
    """The smallest upright rectangle that holds all of the mask."""
    height, width = mask.shape
    left, top, across, down = cv2.boundingRect(mask.view(np.uint8))
    return {
        "x": 100 * left / width,
        "y": 100 * top / height,
        "width": 100 * across / width,
        "height": 100 * down / height,
        "rotation": 0.0,
    }


def ellipse(mask: Mask) -> dict[str, float]:
    """The ellipse with the mask's centre and second moments; radiusX is the longer one, turned by `rotation` degrees.

    The turning is clockwise and of pixels, as the editor's is: radii are percents of the image's width and height.
    """
    height, width = mask.shape
    left, top, across, down = cv2.boundingRect(mask.view(np.uint8))
    moments = cv2.moments(mask[top : top + down, left : left + across].astype(np.uint8), binaryImage=True)
    count = moments["m00"]
    pixel = 1 / 12  # a pixel is a square, not a point
    xx, yy = moments["mu20"] / count + pixel, moments["mu02"] / count + pixel
    xy = moments["mu11"] / count
    mean, spread = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    return {
        "x": 100 * (left + moments["m10"] / count + 0.5) / width,
        "y": 100 * (top + moments["m01"] / count + 0.5) / height,
        "radiusX": 100 * 2 * math.sqrt(mean + spread) / width,
        "radiusY": 100 * 2 * math.sqrt(max(mean - spread, pixel)) / height,
        "rotation": math.degrees(math.atan2(2 * xy, xx - yy) / 2) % 180,
    }
