import Testing

@testable import Forwarding

/// The frame tag and the start code of a VP8 key frame of 640x480. Source: RFC 6386, 9.1.
private let vp8Key = "100200" + "9d012a" + "8002e001"

@Suite struct PictureReaderTests {
    // MARK: - VP8

    @Test("a VP8 descriptor with everything in it is read, with the places to write to (RFC 7741, 4.2)")
    func vp8() throws {
        var reader = PictureReader(.vp8)
        let payload = hex(
            ("X, S, PID 0", "90"), ("I, L, T, K", "f0"), ("M, picture id", "9234"), ("TL0PICIDX", "07"), ("TID 2, Y, KEYIDX 5", "a5"),
            ("frame", vp8Key))
        let mark = try must(reader.read(payload))
        #expect(mark.startsPicture && mark.isKey && mark.isSwitchUp && !mark.isDiscardable)
        #expect(mark.temporal == 2)
        #expect(mark.number == PictureNumber(value: 0x1234, bits: 15, place: 2))
        #expect(mark.base == PictureByte(value: 7, place: 4))
        #expect(mark.keyIndex == PictureByte(value: 5, place: 5))
    }

    @Test("a VP8 picture begins with S and partition 0 only, and is a key frame only if its header says so and has the start code")
    func vp8Begin() {
        var reader = PictureReader(.vp8)
        #expect(reader.read(bytes("10" + vp8Key))?.isKey == true)
        #expect(reader.read(bytes("10" + "1102009d012a8002e001"))?.isKey == false)
        #expect(reader.read(bytes("10" + "1002009d012b8002e001")) == nil)
        #expect(reader.read(bytes("00" + vp8Key))?.startsPicture == false)
        #expect(reader.read(bytes("11" + vp8Key))?.startsPicture == false)
        #expect(reader.read(bytes("3001"))?.isDiscardable == true)
        #expect(reader.read(bytes("90" + "80" + "7f" + "01"))?.number == PictureNumber(value: 127, bits: 7, place: 2))
    }

    @Test("a VP8 descriptor that ends too early, or with nothing behind it, is refused", arguments: 0..<6)
    func vp8Short(count: Int) {
        var reader = PictureReader(.vp8)
        #expect(reader.read(Array(bytes("90f0923407a5" + "01").prefix(count))) == nil)
        #expect(reader.read(bytes("90f0923407a5")) == nil)
    }

    // MARK: - VP9

    @Test("a VP9 descriptor of the non-flexible mode is read, with layers and the structure (RFC 9628, 4.2)")
    func vp9() throws {
        var reader = PictureReader(.vp9)
        let payload = hex(
            ("I, L, B, E, V", "ae"), ("M, picture id", "8102"), ("TID 1, U, SID 0", "30"), ("TL0PICIDX", "2a"),
            ("N_S 1, Y, G", "38"), ("sizes", "014000b402800168"), ("N_G 2", "02"), ("TID 0, R 1", "04"), ("P_DIFF", "02"),
            ("TID 1, U, R 0", "30"), ("frame", "86"))
        let mark = try must(reader.read(payload))
        #expect(mark.startsPicture && mark.endsFrame && mark.isKey && mark.isSwitchUp)
        #expect(mark.temporal == 1 && mark.spatial == 0)
        #expect(mark.number == PictureNumber(value: 0x102, bits: 15, place: 1))
        #expect(mark.base == PictureByte(value: 0x2a, place: 4))
        // The structure is cut anywhere, or nothing is behind it.
        for count in 5..<payload.count { #expect(reader.read(Array(payload.prefix(count))) == nil) }
    }

    @Test("a VP9 descriptor of the flexible mode has up to three references and no TL0PICIDX")
    func vp9Flexible() throws {
        var reader = PictureReader(.vp9)
        let mark = try must(reader.read(bytes("f8" + "05" + "42" + "030504" + "00")))
        #expect(mark.spatial == 1 && mark.temporal == 2 && !mark.startsPicture && !mark.isKey && mark.base == nil)
        #expect(reader.read(bytes("f8" + "05" + "42" + "03050704" + "00")) == nil)
        // F counts for nothing without a picture id, so TL0PICIDX is there.
        #expect(reader.read(bytes("38" + "40" + "09" + "00"))?.base == PictureByte(value: 9, place: 2))
    }

    @Test("a VP9 picture begins with its lowest spatial layer, and only one without a prediction is a key frame")
    func vp9Key() {
        var reader = PictureReader(.vp9)
        #expect(reader.read(bytes("28" + "00" + "01" + "00"))?.isKey == true)
        #expect(reader.read(bytes("28" + "02" + "01" + "00"))?.startsPicture == false)
        #expect(reader.read(bytes("68" + "00" + "01" + "00"))?.isKey == false)
        #expect(reader.read(bytes("20" + "00" + "01" + "00"))?.startsPicture == false)
    }

    // MARK: - H.264

    @Test("an H.264 key frame is one with parameters: in one packet (STAP-A), or in packets of their own (RFC 6184, 5.7)")
    func h264Key() throws {
        var reader = PictureReader(.h264)
        let aggregate = hex(
            ("STAP-A", "78"), ("size", "0004"), ("SPS", "6742c01f"), ("size", "0002"), ("PPS", "68ce"), ("size", "0003"), ("IDR", "658880"))
        var mark = try must(reader.read(aggregate, timestamp: 1))
        #expect(mark.startsPicture && mark.isKey && !mark.isDiscardable)
        // Delimiter, parameters and slices apart: it is one picture, and it is entered with the SPS.
        mark = try must(reader.read(bytes("09f0"), timestamp: 2))
        #expect(mark.startsPicture && !mark.isKey && mark.isDiscardable)
        mark = try must(reader.read(bytes("6742c01f"), timestamp: 2))
        #expect(mark.startsPicture && mark.isKey)
        mark = try must(reader.read(bytes("68ce3c80"), timestamp: 2))
        #expect(!mark.startsPicture && !mark.isKey)
        mark = try must(reader.read(bytes("7c85" + "88"), timestamp: 2))
        #expect(!mark.startsPicture && !mark.isKey)
        // An IDR picture alone is no beginning for who has no parameters.
        mark = try must(reader.read(bytes("658880"), timestamp: 3))
        #expect(mark.startsPicture && !mark.isKey)
    }

    @Test("an H.264 picture begins with its first slice, whichever form it comes in")
    func h264Begin() {
        var reader = PictureReader(.h264)
        #expect(reader.read(bytes("419a"), timestamp: 1)?.startsPicture == true)
        #expect(reader.read(bytes("415a"), timestamp: 2)?.startsPicture == false)
        #expect(reader.read(bytes("5c819a"), timestamp: 3)?.startsPicture == true)
        #expect(reader.read(bytes("5c019a"), timestamp: 3)?.startsPicture == false)
        #expect(reader.read(bytes("5c419a"), timestamp: 3)?.startsPicture == false)
        #expect(reader.read(bytes("019a"), timestamp: 4)?.isDiscardable == true)
        #expect(reader.read(bytes("1c019a"), timestamp: 4)?.isDiscardable == true)
    }

    @Test(
        "H.264 bytes that no packet of modes 0 and 1 can be are refused",
        arguments: [
            "", "c1", "00", "1e", "1f", "1900", "1a00", "1d81", "7cc5", "7c9c", "7c80", "7c", "78", "7800", "780000", "780001", "78000265",
            "780001650000", "7800017c", "780001e5",
        ])
    func h264Refused(text: String) {
        var reader = PictureReader(.h264)
        #expect(reader.read(bytes(text)) == nil)
    }

    // MARK: - AV1

    @Test("an AV1 sequence begins where the aggregation header says so, and a picture where nothing is continued (4.4)")
    func av1() throws {
        var reader = PictureReader(.av1)
        // N, W 2: the sequence's header with its size, then a frame.
        let first = hex(("W 2, N", "28"), ("size", "02"), ("sequence header", "0a00"), ("frame", "3200"))
        var mark = try must(reader.read(first, timestamp: 1))
        #expect(mark.startsPicture && mark.isKey)
        mark = try must(reader.read(hex(("Z, W 1", "90"), ("rest", "ffff")), timestamp: 1))
        #expect(!mark.startsPicture && !mark.isKey)
        mark = try must(reader.read(hex(("W 1", "10"), ("frame, with layers", "3468")), timestamp: 2))
        #expect(mark.startsPicture && !mark.isKey && mark.temporal == 3 && mark.spatial == 1)
        #expect(reader.read(hex(("W 1", "10"), ("frame", "3200")), timestamp: 2)?.startsPicture == false)
    }

    @Test(
        "AV1 bytes whose units do not fit are refused",
        arguments: ["", "10", "88ff", "20", "2005", "200132", "0005", "00ffffffffff01", "10b2", "1034", "0080"])
    func av1Refused(text: String) {
        var reader = PictureReader(.av1)
        #expect(reader.read(bytes(text)) == nil)
    }

    // MARK: - Dependency descriptor

    /// A browser's, of three spatial and three temporal layers; the capture is in livekit/livekit, dependencydescriptorextension_test.go.
    private let structure =
        "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac1282503157f974000ca86433"
        + "0e222222eca8655304224230eca877530077004200ef008601df010d"

    @Test("descriptors of a browser's three by three layers are read by the structure that came with the key frame (AV1 RTP, A.8)")
    func descriptors() throws {
        var reader = PictureReader(.av1)
        let first = try must(reader.read([0], descriptor: bytes(structure)))
        #expect(first.startsPicture && first.endsFrame && first.isKey && first.spatial == 0 && first.temporal == 0 && !first.isDiscardable)
        #expect(first.number == PictureNumber(value: 0x172, bits: 16, place: 1))
        let rest: [(String, UInt16, starts: Bool, ends: Bool, spatial: UInt8, temporal: UInt8)] = [
            ("86017340fc", 0x173, false, false, 1, 0), ("46017340fc", 0x173, false, true, 1, 0), ("c3017540fc", 0x175, true, true, 0, 2),
            ("88017640fc", 0x176, false, false, 1, 2), ("c2017840fc", 0x178, true, true, 0, 1), ("8b0174", 0x174, false, false, 2, 0),
            ("0b0174", 0x174, false, false, 2, 0),
        ]
        for (text, number, starts, ends, spatial, temporal) in rest {
            let mark = try must(reader.read([0], descriptor: bytes(text)), "\(text)")
            #expect(mark.number?.value == number && mark.startsPicture == starts && mark.endsFrame == ends, "\(text)")
            #expect(mark.spatial == spatial && mark.temporal == temporal && !mark.isKey, "\(text)")
        }
    }

    @Test("a structure that is cut is refused and changes nothing, and so are templates that it does not have")
    func descriptorsCut() throws {
        var reader = PictureReader(.av1)
        let whole = bytes(structure)
        for count in 4..<whole.count { #expect(reader.read([0], descriptor: Array(whole.prefix(count))) == nil, "\(count)") }
        // Nothing is known yet: neither layers nor a key frame, but the packet is one.
        #expect(reader.read([0], descriptor: bytes("860173"))?.isKey == false)
        #expect(reader.read([0], descriptor: bytes("86017340fc")) == nil)
        _ = try must(reader.read([0], descriptor: whole))
        #expect(reader.read([0], descriptor: bytes("bf0173")) == nil)
        #expect(reader.read([0], descriptor: bytes("8601")) == nil)
    }

    @Test("sound has no pictures: each packet stands for itself")
    func sound() {
        var reader = PictureReader(.opus)
        #expect(reader.read([0x78]) == .sound)
        #expect(reader.read([]) == nil)
    }
}
