//! A picture file as a model's input: decoded, resized, scaled, normalised and laid out as the contract says.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use half::f16;
use image::imageops::FilterType;
use image::{ImageReader, Limits};

use super::PredictError;
use crate::contract::ImageInput;
use crate::graph::Model;
use crate::host::ElementType;
use crate::tensor::{Tensor, Value};

/// Sides and memory beyond which a picture is not decoded, whatever its header claims.
const MAX_SIDE: u32 = 16_384;
const MAX_DECODED_BYTES: u64 = 1 << 30;

/// Reads a PNG or JPEG file.
pub fn read(path: &Path, target: &ImageInput, model: &Model) -> Result<Value, PredictError> {
    let error = |message: String| PredictError::Image { path: path.display().to_string(), message };
    let file = File::open(path).map_err(|source| error(source.to_string()))?;
    // The content decides, not the name.
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(|source| error(source.to_string()))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    if reader.format().is_none() {
        return Err(error("this is no picture that Drydock reads; expected PNG or JPEG".to_owned()));
    }
    let picture = reader.decode().map_err(|source| error(format!("the picture can't be decoded: {source}")))?;
    // Scaling down by averaging; scaling up by interpolation.
    let picture = picture.resize_exact(target.width, target.height, FilterType::Triangle);
    let (channels, pixels) = if target.channels == 1 { (1, picture.into_luma8().into_raw()) } else { (3, picture.into_rgb8().into_raw()) };
    let values = normalise(&pixels, channels, target);
    to_value(values, channels, target, model).map_err(error)
}

/// Pixel values, laid out `[C, H, W]` or `[H, W, C]`.
fn normalise(pixels: &[u8], channels: usize, target: &ImageInput) -> Vec<f32> {
    let of_channel = |values: &[f32], channel: usize, default: f32| match values {
        [] => default,
        [only] => *only,
        values => values.get(channel).copied().unwrap_or(default),
    };
    let value = |pixel: u8, channel: usize| {
        let pixel = if target.invert { 255 - pixel } else { pixel };
        (f32::from(pixel) * target.scale - of_channel(&target.mean, channel, 0.0)) / of_channel(&target.std, channel, 1.0)
    };
    if target.channels_first {
        (0..channels)
            .flat_map(|channel| pixels.iter().skip(channel).step_by(channels).map(move |&pixel| (pixel, channel)))
            .map(|(pixel, channel)| value(pixel, channel))
            .collect()
    } else {
        pixels.iter().enumerate().map(|(index, &pixel)| value(pixel, index % channels)).collect()
    }
}

fn to_value(values: Vec<f32>, channels: usize, target: &ImageInput, model: &Model) -> Result<Value, String> {
    let side = |side: u32| usize::try_from(side).unwrap_or(usize::MAX);
    let (height, width) = (side(target.height), side(target.width));
    let shape = if target.channels_first { [1, channels, height, width] } else { [1, height, width, channels] };
    let input = model.graph.find_value(&target.input).map(|id| model.graph.value(id));
    let value_type = input.and_then(|input| input.value_type.as_ref()).and_then(|value_type| value_type.as_tensor());
    // A model that takes [N, H, W], without channels, takes the grey picture as it is.
    let rank = value_type.and_then(|(_, shape)| shape.rank());
    let shape = if rank == Some(3) && channels == 1 { vec![1, height, width] } else { shape.to_vec() };
    let tensor = match value_type.map_or(ElementType::F32, |(element_type, _)| element_type) {
        ElementType::F32 => Tensor::from_vec(&shape, values),
        ElementType::F64 => Tensor::from_vec(&shape, values.into_iter().map(f64::from).collect()),
        ElementType::F16 => Tensor::from_vec(&shape, values.into_iter().map(f16::from_f32).collect()),
        // A model that scales pixels itself: 0…255, as a float the contract's scale would make of it.
        ElementType::U8 => Tensor::from_vec(&shape, values.into_iter().map(|value| value.round().clamp(0.0, 255.0) as u8).collect()),
        other => return Err(format!("the input '{}' takes {other}, which a picture can't feed", target.input)),
    };
    tensor.map(Value::Tensor).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::testing::{input, tensor_type};

    fn model(dims: &[Option<usize>]) -> Model {
        let mut model = Model::default();
        input(&mut model.graph, "image", tensor_type(ElementType::F32, dims));
        model
    }

    fn values(path: &Path, target: &ImageInput, model: &Model) -> (Vec<usize>, Vec<f32>) {
        let value = read(path, target, model).unwrap();
        let tensor = value.as_tensor().unwrap();
        (tensor.shape().to_vec(), tensor.as_slice::<f32>().unwrap().to_vec())
    }

    #[test]
    fn a_picture_is_laid_out_and_normalised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.png");
        image::RgbImage::from_raw(2, 1, vec![255, 0, 51, 0, 102, 255]).unwrap().save(&path).unwrap();
        let target = ImageInput { input: "image".to_owned(), width: 2, height: 1, ..ImageInput::default() };
        let (shape, found) = values(&path, &target, &model(&[None, Some(3), Some(1), Some(2)]));
        assert_eq!(shape, [1, 3, 1, 2]);
        assert_close(&found, &[1.0, 0.0, 0.0, 0.4, 0.2, 1.0]);
        let target = ImageInput { channels_first: false, mean: vec![0.5], std: vec![0.5, 1.0, 0.25], scale: 1.0 / 255.0, ..target };
        let (shape, found) = values(&path, &target, &model(&[None, Some(1), Some(2), Some(3)]));
        assert_eq!(shape, [1, 1, 2, 3]);
        assert_close(&found, &[1.0, -0.5, -1.2, -1.0, -0.1, 2.0]);
    }

    #[track_caller]
    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn a_grey_picture_is_inverted_and_resized() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grey.png");
        image::GrayImage::from_pixel(4, 4, image::Luma([55])).save(&path).unwrap();
        let target = ImageInput { input: "image".to_owned(), width: 2, height: 2, channels: 1, scale: 1.0, invert: true, ..ImageInput::default() };
        let (shape, found) = values(&path, &target, &model(&[None, Some(2), Some(2)]));
        assert_eq!((shape, found), (vec![1, 2, 2], vec![200.0; 4]));
    }

    #[test]
    fn what_is_no_picture_is_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.png");
        std::fs::write(&path, "not a picture").unwrap();
        let target = ImageInput { input: "image".to_owned(), ..ImageInput::default() };
        let error = read(&path, &target, &Model::default()).unwrap_err().to_string();
        assert!(error.contains("expected PNG or JPEG"), "{error}");
        assert!(read(&folder.path().join("none.png"), &target, &Model::default()).is_err());
    }
}
