import Glibc

/// Paints on the frames of the test picture: a flash in the middle for the first tenth of each second, aligned with the beep;
/// a bar that moves; and the frame number as a row of black and white cells.
struct TestPicture: Sendable {
    let width: Int
    let height: Int
    let frameRate: Int

    private static let white: CInt = 235
    private static let black: CInt = 16
    private static let grey: CInt = 128

    /// - Parameters:
    ///   - frame: I420, as GStreamer lays it out: rows of each plane padded to 4 bytes.
    ///   - time: nanoseconds of the source's own time, in which beeps begin at full seconds.
    func paint(_ frame: UnsafeMutableRawBufferPointer, at time: Int64) {
        let stride = (width + 3) & ~3
        let chromaStride = ((width + 1) / 2 + 3) & ~3
        let lumaRows = (height + 1) & ~1
        let chromaRows = lumaRows / 2
        guard frame.count >= stride * lumaRows + 2 * chromaStride * chromaRows else { return }
        let canvas = Canvas(
            frame: frame, stride: stride, chromaStride: chromaStride, chroma: stride * lumaRows, chromaSize: chromaStride * chromaRows)
        let flashing = time % 1_000_000_000 < 100_000_000
        canvas.fill(x: width / 4, y: height / 4, width: width / 2, height: height / 2, flashing ? Self.white : Self.black)

        let number = (time * Int64(frameRate) + 500_000_000) / 1_000_000_000
        let barWidth = max(2, width / 40)
        let position = Int(number * 8) % max(1, width - barWidth)
        canvas.fill(x: position, y: height * 13 / 16, width: barWidth, height: height / 8, Self.white)

        let cell = max(2, width / 40)
        for bit in 0..<24 {
            let color = (number >> Int64(23 - bit)) & 1 == 1 ? Self.white : Self.black
            canvas.fill(x: width / 5 + bit * cell, y: height / 16, width: cell, height: height / 16, color)
        }
    }

    private struct Canvas {
        let frame: UnsafeMutableRawBufferPointer
        let stride: Int
        let chromaStride: Int
        /// Offset of the first chroma plane, and the size of each.
        let chroma: Int
        let chromaSize: Int

        /// Grey of one brightness, on even rows and columns.
        func fill(x: Int, y: Int, width: Int, height: Int, _ luma: CInt) {
            guard let base = frame.baseAddress else { return }
            let x = x & ~1
            let y = y & ~1
            for row in y..<(y + height) { memset(base + row * stride + x, luma, width) }
            for plane in 0..<2 {
                let start = base + chroma + plane * chromaSize
                for row in (y / 2)..<((y + height) / 2) { memset(start + row * chromaStride + x / 2, TestPicture.grey, width / 2) }
            }
        }
    }
}
