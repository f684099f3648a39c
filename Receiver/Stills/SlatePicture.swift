import MPEGTS

/// The picture that is shown where an organisation has none of its own: a signal that is not there, on a dark field.
///
/// Drawn by arithmetic, small, and enlarged by the encoder's pipeline: its edges are soft then, and it has no font and no file.
struct SlatePicture {
    let width: Int
    let height: Int
    /// 8 bits of luma, then a quarter as many of each colour difference (I420, BT.709, 16 to 235).
    let bytes: [UInt8]

    /// The longer side of what is drawn: a tenth of a millisecond for each thousand points.
    private static let side = 480

    private struct Paint {
        let y: UInt8
        let u: UInt8
        let v: UInt8
        static let field = Paint(y: 30, u: 132, v: 126)
        static let faint = Paint(y: 62, u: 134, v: 124)
        static let bright = Paint(y: 168, u: 128, v: 128)
        static let stroke = Paint(y: 96, u: 104, v: 208)
    }

    /// - Parameter size: of the stream: the drawing has the same shape.
    init(for size: PictureSize) {
        let longer = max(size.width, size.height)
        let side = min(SlatePicture.side, longer)
        width = max(16, size.width * side / longer / 2 * 2)
        height = max(16, size.height * side / longer / 2 * 2)
        bytes = SlatePicture.draw(width, height)
    }

    private static func draw(_ width: Int, _ height: Int) -> [UInt8] {
        var luma = [UInt8](repeating: Paint.field.y, count: width * height)
        var blue = [UInt8](repeating: Paint.field.u, count: width * height / 4)
        var red = [UInt8](repeating: Paint.field.v, count: width * height / 4)
        // A square of ten by ten units in the middle, three fifths of the shorter side.
        let unit = Double(min(width, height)) * 0.06
        let (left, top) = (Double(width) / 2 - 5 * unit, Double(height) / 2 - 5 * unit)
        for row in max(0, Int(top))..<min(height, Int(top + 10 * unit) + 1) {
            for column in max(0, Int(left))..<min(width, Int(left + 10 * unit) + 1) {
                let paint = paint((Double(column) + 0.5 - left) / unit, (Double(row) + 0.5 - top) / unit)
                luma[row * width + column] = paint.y
                guard row % 2 == 0, column % 2 == 0 else { continue }
                blue[row / 2 * (width / 2) + column / 2] = paint.u
                red[row / 2 * (width / 2) + column / 2] = paint.v
            }
        }
        return luma + blue + red
    }

    /// Four bars that rise to the right, of which one is lit, and a stroke through all of them.
    private static func paint(_ x: Double, _ y: Double) -> Paint {
        // The distance from the diagonal, from the upper left to the lower right.
        let distance = abs(x - y) / 2.0.squareRoot()
        if distance < 0.4, (0.4...9.6).contains(x) { return .stroke }
        if distance < 0.8 { return .field }
        for bar in 0..<4 {
            let begin = 0.6 + Double(bar) * 2.3
            guard (begin...begin + 1.7).contains(x) else { continue }
            return (9.4 - 2.1 * Double(bar + 1)...9.4).contains(y) ? (bar == 0 ? .bright : .faint) : .field
        }
        return .field
    }
}
