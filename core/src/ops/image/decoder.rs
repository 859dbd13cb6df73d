//! ImageDecoder: the pixels of an image file.

use std::io::Cursor;

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};
use image::{ImageReader, Limits};

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// BMP, JPEG, JPEG 2000, PNG, PNM, TIFF and WebP. The result is uint8, `[height, width, channels]`. Transparency is dropped.
///
/// The specification lets a decoder answer a file that it can't read with an empty tensor; here that is an error, which says why.
///
/// <https://onnx.ai/onnx/operators/onnx__ImageDecoder.html>, opset 20.
#[derive(Debug)]
struct ImageDecoder {
    format: PixelFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PixelFormat {
    Rgb,
    Bgr,
    Grayscale,
}

pub fn build(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let format = match context.attributes.text("pixel_format")?.unwrap_or("RGB") {
        "RGB" => PixelFormat::Rgb,
        "BGR" => PixelFormat::Bgr,
        "Grayscale" => PixelFormat::Grayscale,
        other => return Err(OpError::value(format!("attribute 'pixel_format' should be RGB, BGR or Grayscale, but is '{other}'"))),
    };
    Ok(Box::new(ImageDecoder { format }))
}

/// Pixels of red, green and blue.
struct Picture {
    height: usize,
    width: usize,
    rgb: Vec<u8>,
}

fn unreadable(error: impl std::fmt::Display) -> OpError {
    OpError::value(format!("the image can't be decoded: {error}"))
}

fn is_jpeg2000(file: &[u8]) -> bool {
    // The signature box of a JP2 file, and the first markers of a bare codestream.
    file.starts_with(b"\0\0\0\x0cjP  \r\n\x87\n") || file.starts_with(&[0xff, 0x4f, 0xff, 0x51])
}

fn side(pixels: u32) -> Result<usize, OpError> {
    usize::try_from(pixels).map_err(unreadable)
}

fn read_jpeg2000(file: &[u8], context: &RunContext<'_>) -> Result<Picture, OpError> {
    let image = Image::new(file, &DecodeSettings::default()).map_err(unreadable)?;
    let (height, width) = (side(image.height())?, side(image.width())?);
    // The decoder works in float32, with up to four channels.
    context.check_result_size(ElementType::F32, &[height, width, 4])?;
    let n_colors = image.color_space().num_channels();
    if matches!(image.color_space(), ColorSpace::CMYK) || !matches!(n_colors, 1 | 3) {
        return Err(OpError::unsupported("a JPEG 2000 image that is neither gray nor RGB"));
    }
    let n_channels = usize::from(n_colors) + usize::from(image.has_alpha());
    let mut decoder = DecoderContext::default();
    let pixels = image.decode(&mut decoder).map_err(unreadable)?.data_u8();
    let rgb = pixels.chunks_exact(n_channels).flat_map(|pixel| if n_colors == 1 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] });
    Ok(Picture { height, width, rgb: rgb.collect() })
}

fn read(file: &[u8], context: &RunContext<'_>) -> Result<Picture, OpError> {
    if is_jpeg2000(file) {
        return read_jpeg2000(file, context);
    }
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(unreadable)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(u64::try_from(context.max_result_bytes).unwrap_or(u64::MAX));
    reader.limits(limits);
    let image = reader.decode().map_err(unreadable)?.into_rgb8();
    Ok(Picture { height: side(image.height())?, width: side(image.width())?, rgb: image.into_raw() })
}

/// ITU-R BT.601 luma, weighted by 16-bit fractions and rounded.
fn luma(pixel: &[u8; 3]) -> u8 {
    let [red, green, blue] = pixel.map(u32::from);
    // The weights add up to 65536, so this is 255 at most.
    ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16) as u8
}

impl Operator for ImageDecoder {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let n_channels = if self.format == PixelFormat::Grayscale { 1 } else { 3 };
        let shape = vec![Dimension::Unknown, Dimension::Unknown, Dimension::Known(n_channels)];
        Ok(vec![Some(ValueType::tensor(ElementType::U8, SymbolicShape(Some(shape))))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let file = inputs.take_tensor(0, "encoded_stream")?;
        if file.rank() != 1 {
            return Err(OpError::shape(format!("the encoded stream should be a list of bytes, but has shape {:?}", file.shape())));
        }
        let Picture { height, width, mut rgb } = read(&file.as_slice::<u8>()?, context)?;
        let (n_channels, pixels) = match self.format {
            PixelFormat::Rgb => (3, rgb),
            PixelFormat::Bgr => {
                rgb.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.reverse());
                (3, rgb)
            }
            PixelFormat::Grayscale => (1, rgb.as_chunks::<3>().0.iter().map(luma).collect()),
        };
        Ok(single(Tensor::from_vec(&[height, width, n_channels], pixels)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    /// One row of two pixels, red and blue.
    fn file() -> Tensor {
        let bytes = b"P6\n2 1\n255\n\xff\0\0\0\0\xff";
        tensor(&[bytes.len()], bytes)
    }

    #[test]
    fn pixels_come_in_the_order_asked_for() {
        assert_tensor(&op("ImageDecoder").run1([file()]), &[1, 2, 3], &[255_u8, 0, 0, 0, 0, 255]);
        assert_tensor(&op("ImageDecoder").text("pixel_format", "BGR").run1([file()]), &[1, 2, 3], &[0_u8, 0, 255, 255, 0, 0]);
        assert_tensor(&op("ImageDecoder").text("pixel_format", "Grayscale").run1([file()]), &[1, 2, 1], &[76_u8, 29]);
        assert_eq!(op("ImageDecoder").infer([typed::<u8>("n")]), [Some("uint8[?, ?, 3]".to_owned())]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let bytes = |bytes: &[u8]| tensor(&[bytes.len()], bytes);
        assert!(op("ImageDecoder").error([bytes(b"hello")]).starts_with("the image can't be decoded: "));
        assert!(op("ImageDecoder").error([bytes(&[])]).starts_with("the image can't be decoded: "));
        assert!(op("ImageDecoder").error([bytes(b"\0\0\0\x0cjP  \r\n\x87\nrest")]).starts_with("the image can't be decoded: "));
        assert!(op("ImageDecoder").error([bytes(b"P6\n60000 60000\n255\n")]).starts_with("the image can't be decoded: "));
        assert!(op("ImageDecoder").error([tensor(&[1, 1], &[0_u8])]).contains("a list of bytes"));
        assert!(op("ImageDecoder").error([tensor(&[1], &[0_i64])]).contains("expected a tensor of uint8"));
        assert!(op("ImageDecoder").text("pixel_format", "RGBA").error([file()]).contains("'RGBA'"));
    }
}
