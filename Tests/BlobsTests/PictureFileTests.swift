import Testing

@testable import Blobs

/// Files by hand, with each field named where it counts.
enum Pictures {
    /// One grey point.
    static let png: [UInt8] = [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A,
        0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55,
        0, 0, 0, 10, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xCD, 0x72, 0xB6,
        0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
    ]

    /// 32 bits, little endian.
    static func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

    static func chunk(_ name: String, _ payload: [UInt8]) -> [UInt8] {
        Array(name.utf8) + word(payload.count) + payload + (payload.count % 2 == 1 ? [0] : [])
    }

    static func webp(_ chunks: [UInt8]...) -> [UInt8] {
        let body = Array("WEBP".utf8) + chunks.flatMap { $0 }
        return Array("RIFF".utf8) + word(body.count) + body
    }

    /// Tag of a key frame, start code, width, height, and something of a first partition.
    static func lossy(_ width: Int, _ height: Int) -> [UInt8] {
        var payload: [UInt8] = [0x10, 0, 0, 0x9D, 0x01, 0x2A]
        for side in [width, height] { payload += word(side).prefix(2) }
        return chunk("VP8 ", payload + [0, 0, 0, 0])
    }

    /// Signature; width and height less one, of 14 bits each.
    static func lossless(_ width: Int, _ height: Int) -> [UInt8] {
        let sides = (width - 1) | (height - 1) << 14
        return chunk("VP8L", [0x2F] + word(sides))
    }

    /// Flags, three reserved bytes, width and height less one, of 24 bits each.
    static func extended(_ width: Int, _ height: Int, flags: UInt8 = 0x10) -> [UInt8] {
        var payload: [UInt8] = [flags, 0, 0, 0]
        for side in [width, height] { payload += word(side - 1).prefix(3) }
        return chunk("VP8X", payload)
    }
}

@Suite("A picture that somebody uploads")
struct PictureFileTests {
    @Test("is what its bytes say: PNG, or WebP with loss, without, or with a head of its own")
    func kinds() throws {
        let png = try PictureFile(Pictures.png, for: .avatars)
        #expect(png.kind == .png && [png.width, png.height] == [1, 1])
        let alpha = Pictures.chunk("ALPH", [0, 0, 0])
        for bytes in [
            Pictures.webp(Pictures.lossy(300, 20)), Pictures.webp(Pictures.lossless(300, 20)),
            Pictures.webp(Pictures.extended(300, 20), alpha, Pictures.lossy(300, 20)),
        ] {
            let picture = try PictureFile(bytes, for: .branding)
            #expect(picture.kind == .webp && [picture.width, picture.height] == [300, 20])
        }
    }

    @Test("is refused where it is of another kind, not whole, moves, or says two sizes")
    func others() {
        let whole = Pictures.webp(Pictures.lossy(300, 20))
        // Of a chunk that says to be longer than any file.
        let endless: [UInt8] = Array("VP8 ".utf8) + Pictures.word(0xFFFF_FFFF) + Pictures.word(0) + Pictures.word(0)
        let text = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        let others: [[UInt8]] = [
            [], Array(text.utf8), Array("GIF89a".utf8), Array("<!doctype html><script>".utf8), Array(Pictures.png.dropLast(12)),
            Array(whole.dropLast()), whole + [0],
            Pictures.webp(), Pictures.webp(Pictures.extended(300, 20)), Pictures.webp(Pictures.extended(301, 20), Pictures.lossy(300, 20)),
            Pictures.webp(Pictures.extended(300, 20, flags: 2), Pictures.lossy(300, 20)),
            Pictures.webp(Pictures.lossy(300, 20), Pictures.lossy(300, 20)),
            Pictures.webp(endless),
        ]
        for bytes in others { #expect(throws: PictureFile.Refusal.otherKind) { try PictureFile(bytes, for: .branding) } }
    }

    @Test("is refused where it is too large for its use, in bytes or in points")
    func sizes() {
        let wide = Pictures.webp(Pictures.lossless(513, 8))
        #expect(throws: PictureFile.Refusal.size(width: 513, height: 8, atMost: 512)) { try PictureFile(wide, for: .avatars) }
        #expect(throws: Never.self) { try PictureFile(wide, for: .branding) }
        let empty = Pictures.webp(Pictures.lossy(0, 8))
        #expect(throws: PictureFile.Refusal.size(width: 0, height: 8, atMost: 512)) { try PictureFile(empty, for: .avatars) }
        let long = Pictures.webp(Pictures.lossy(8, 8), Pictures.chunk("EXIF", Array(repeating: 0, count: 48 << 10)))
        #expect(throws: PictureFile.Refusal.bytes(long.count, atMost: 48 << 10)) { try PictureFile(long, for: .avatars) }
        #expect(throws: Never.self) { try PictureFile(long, for: .branding) }
    }
}
