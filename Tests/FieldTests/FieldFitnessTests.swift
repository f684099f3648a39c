import Support
import Testing
import Units

@testable import Field
@testable import MPEGTS

/// What nobody in a room would see is found out before anything is sent. Times are in ticks of 90 kHz.
struct FieldFitnessTests {
    private static let frame: Int64 = 3600

    private func picture(
        at presentation: Int64, isKey: Bool = false, sets: [[UInt8]] = [SequenceParameters.h264(columns: 40, rows: 23), [0x68, 0xCE]],
        coding: VideoCoding = .h264
    ) -> VideoUnit {
        let bytes: [UInt8] = [0, 0, 1, isKey ? 0x65 : 0x41, 0xAA]
        return VideoUnit(
            bytes: bytes, units: [3..<5], presentation: MediaTime(ticks: presentation), decode: MediaTime(ticks: presentation),
            isKey: isKey, isDamaged: false, format: VideoFormat(coding: coding, parameterSets: sets, size: nil))
    }

    @Test("pictures in the order in which they are shown are fit, over splices too")
    func fits() {
        var fitness = FieldFitness()
        for time in 0..<50 { #expect(fitness.fault(of: picture(at: Int64(time) * Self.frame, isKey: time % 25 == 0)) == nil) }
        #expect(fitness.fault(of: picture(at: 10 * Self.frame, isKey: true)) == nil, "another source begins with a key frame")
        for time in 11..<30 { #expect(fitness.fault(of: picture(at: Int64(time) * Self.frame)) == nil) }
    }

    @Test("B-frames are refused with their name, one step back is not")
    func reordered() {
        var fitness = FieldFitness()
        var faults: [String?] = []
        for (index, place) in [0, 3, 1, 2, 6, 4, 5, 9, 7, 8].enumerated() {
            faults.append(fitness.fault(of: picture(at: Int64(place) * Self.frame, isKey: index == 0)))
        }
        #expect(faults[2] == nil)
        #expect(faults.last??.contains("B-frames") == true)
    }

    @Test(
        "profiles that browsers do not decode are refused by their names",
        arguments: [(UInt8(66), nil), (77, nil), (100, nil), (110, "High 10"), (122, "High 4:2:2"), (244, "High 4:4:4"), (88, "Extended")]
            as [(UInt8, String?)])
    func profiles(_ number: UInt8, _ name: String?) {
        var fitness = FieldFitness()
        // Main and Baseline have nothing of chroma in their parameters; the others are judged by their number.
        let set: [UInt8] = [0x67, number, 0, 40, 0xDA, 0x7F]
        let fault = fitness.fault(of: picture(at: 0, isKey: true, sets: [set, [0x68, 0xCE]]))
        if let name { #expect(fault?.contains(name) == true) } else { #expect(fault == nil || number == 100) }
    }

    @Test("H.265 and interlaced pictures are refused")
    func others() {
        var fitness = FieldFitness()
        #expect(fitness.fault(of: picture(at: 0, isKey: true, sets: [[0x42, 1, 1]], coding: .h265))?.contains("H.265") == true)
        let woven: [UInt8] = [0x67, 77, 0, 40, 0xDA, 0x6F, 0xFF]
        #expect(fitness.fault(of: picture(at: 0, isKey: true, sets: [woven]))?.contains("interlaced") == true)
        let whole: [UInt8] = [0x67, 77, 0, 40, 0xDA, 0x7F, 0xFF]
        #expect(fitness.fault(of: picture(at: 0, isKey: true, sets: [whole])) == nil)
        #expect(PictureSize.isInterlaced(h264: woven[...]) && !PictureSize.isInterlaced(h264: whole[...]))
    }
}
