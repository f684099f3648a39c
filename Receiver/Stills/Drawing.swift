/// A small picture as JPEG wants it: luma and two colour differences of half its size, BT.601, 0 to 255.
struct Drawing {
    let width: Int
    let height: Int
    private(set) var luma: [UInt8]
    private(set) var blue: [UInt8]
    private(set) var red: [UInt8]

    init(width: Int, height: Int, luma: [UInt8], blue: [UInt8], red: [UInt8]) {
        (self.width, self.height) = (width, height)
        (self.luma, self.blue, self.red) = (luma, blue, red)
    }

    /// nil for colours that are none of video.
    init?(_ picture: borrowing DecodedPicture) {
        (width, height) = Drawing.size(width: picture.width, height: picture.height, pointShape: picture.pointShape)
        guard let planes = picture.shrunk(to: (width, height)), let first = planes.first else { return nil }
        let grey = [UInt8](repeating: 128, count: width / 2 * (height / 2))
        luma = first
        blue = planes.count > 2 ? planes[1] : grey
        red = planes.count > 2 ? planes[2] : grey
        convert(isFullRange: picture.isFullRange, isHighDefinition: picture.isHighDefinition)
    }

    /// Even, in the shape that viewers see, and never larger than the picture.
    static func size(width: Int, height: Int, pointShape: Double) -> (width: Int, height: Int) {
        let shown = Double(width) * pointShape
        let scale = min(1, Double(Still.side) / max(shown, Double(height)))
        func even(_ length: Double) -> Int { min(Still.side, max(2, Int((length * scale / 2).rounded()) * 2)) }
        return (even(shown), even(Double(height)))
    }

    /// Source: ITU-R BT.601 and BT.709: the matrix of one to RGB, and back by the other's.
    private mutating func convert(isFullRange: Bool, isHighDefinition: Bool) {
        func clamped(_ value: Double) -> UInt8 { UInt8(min(255, max(0, value.rounded()))) }
        let (lumaGain, black, chromaGain) = isFullRange ? (1.0, 0.0, 1.0) : (255.0 / 219, 16.0, 255.0 / 224)
        var correction = [Double](repeating: 0, count: blue.count)
        for index in blue.indices {
            let (b, r) = ((Double(blue[index]) - 128) * chromaGain, (Double(red[index]) - 128) * chromaGain)
            guard isHighDefinition else {
                (blue[index], red[index]) = (clamped(128 + b), clamped(128 + r))
                continue
            }
            correction[index] = 0.101579 * b + 0.196076 * r
            blue[index] = clamped(128 + 0.989854 * b - 0.110653 * r)
            red[index] = clamped(128 - 0.072453 * b + 0.983398 * r)
        }
        for row in 0..<height {
            for column in 0..<width {
                let at = row * width + column
                luma[at] = clamped((Double(luma[at]) - black) * lumaGain + correction[row / 2 * (width / 2) + column / 2])
            }
        }
    }
}
