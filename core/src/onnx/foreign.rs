//! What a file is when it is not an ONNX model, so that the error can name it and the way out.

/// A sentence about a file that is recognisably something else. Looks at the first bytes only (and at a zip's table of names).
pub(super) fn recognize(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(512)];
    let starts = |magic: &[u8]| head.starts_with(magic);
    let text = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let trimmed = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).to_ascii_lowercase();
    let found = if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        zip_content(bytes)
    } else if starts(b"\x1f\x8b") {
        "it is gzip-compressed; unpack it first (gunzip)"
    } else if starts(b"\x28\xb5\x2f\xfd") {
        "it is zstd-compressed; unpack it first (unzstd)"
    } else if starts(b"BZh") || starts(b"\xfd7zXZ\0") || starts(b"7z\xbc\xaf") || head.get(257..262) == Some(b"ustar") {
        "it is an archive; unpack it first"
    } else if starts(b"\x89HDF\r\n\x1a\n") {
        "it is an HDF5 file, probably a Keras model; convert it with tf2onnx"
    } else if head.get(4..8) == Some(b"TFL3") {
        "it is a TensorFlow Lite model; convert it with tf2onnx --tflite"
    } else if head.get(4..8) == Some(b"ORTM") {
        "it is ONNX Runtime's own format (.ort); use the .onnx file it was made from"
    } else if starts(b"GGUF") {
        "it is a GGUF model; Drydock reads ONNX"
    } else if head.get(8) == Some(&b'{') && head.get(..8).is_some_and(|len| len[5..] == [0; 3]) {
        "it looks like safetensors, which hold weights without a graph; export the model with torch.onnx.export"
    } else if matches!(head, [0x80, 2..=5, ..]) {
        "it is a Python pickle (a PyTorch checkpoint or a scikit-learn object); export the model with torch.onnx.export or skl2onnx"
    } else if starts(b"version https://git-lfs") {
        "it is a Git LFS pointer, not the file it stands for; fetch it with git lfs pull"
    } else if trimmed.starts_with("<!doctype") || trimmed.starts_with("<html") || trimmed.starts_with("<head") {
        "it is a web page; the download probably ended on a login or an error page"
    } else if trimmed.starts_with("<?xml") {
        "it is an XML document"
    } else if trimmed.starts_with('{') || trimmed.starts_with("[{") {
        "it is a JSON document"
    } else if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") {
        "it is a picture"
    } else if starts(b"%PDF") {
        "it is a PDF document"
    } else if starts(b"PAR1") || starts(b"ARROW1") || starts(b"SQLite format 3") {
        "it is a table of data; give it as the data, not as the model"
    } else if is_plain_text(head) {
        "it is a text file; a model file ends in .onnx and holds binary data"
    } else {
        return None;
    };
    Some(found.to_owned())
}

/// Zip archives carry the models of several tools; the names inside tell which.
fn zip_content(bytes: &[u8]) -> &'static str {
    let has = |name: &str| memchr::memmem::find(&bytes[..bytes.len().min(64 << 10)], name.as_bytes()).is_some();
    if has("data.pkl") {
        "it is a PyTorch checkpoint (torch.save); export the model with torch.onnx.export"
    } else if has("config.json") && has("model.weights.h5") {
        "it is a Keras model; convert it with tf2onnx"
    } else if has(".onnx") {
        "it is a zip archive with an ONNX model in it; unpack it first"
    } else {
        "it is a zip archive; unpack it first"
    }
}

/// Only printable ASCII and line breaks, and enough of it that this is no accident.
fn is_plain_text(head: &[u8]) -> bool {
    head.len() >= 16 && head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_called_by_their_name() {
        let cases: &[(&[u8], &str)] = &[
            (b"PK\x03\x04....archive/data.pkl", "PyTorch checkpoint"),
            (b"PK\x03\x04....report.docx", "zip archive"),
            (b"\x80\x02}q\x00.", "Python pickle"),
            (b"\n <!DOCTYPE html><html>", "web page"),
            (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"age,sex,income\n41,F,52000\n", "text file"),
            (b"{\"a\": 1}", "JSON"),
            (b"\x40\0\0\0\0\0\0\0{\"w\":", "safetensors"),
        ];
        for (bytes, expected) in cases {
            let found = recognize(bytes).unwrap_or_default();
            assert!(found.contains(expected), "{expected:?} in {found:?}");
        }
        // The first bytes of an ONNX file: ir_version = 8, then the producer's name.
        assert_eq!(recognize(b"\x08\x08\x12\x07pytorch\x1a\x052.1.0"), None);
    }
}
