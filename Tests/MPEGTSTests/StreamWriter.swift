import MPEGTS
import struct Support.BitWriter
import Units

/// Writes transport packets for the tests: one program with H.264 on PID 0x100 and AAC on 0x101.
struct StreamWriter {
    static let video: UInt16 = 0x100
    static let audio: UInt16 = 0x101
    static let map: UInt16 = 0x1000

    private(set) var bytes: [UInt8] = []
    private var counters: [UInt16: UInt8] = [:]
    var videoType: UInt8 = 0x1B

    mutating func tables() {
        section(0, [0x00, 0xB0, 0x0D, 0x00, 0x01, 0xC1, 0, 0, 0x00, 0x01, 0xF0, 0x00])
        section(
            Self.map,
            [
                0x02, 0xB0, 0x17, 0x00, 0x01, 0xC1, 0, 0, 0xE1, 0x00, 0xF0, 0x00, videoType, 0xE1, 0x00, 0xF0, 0x00, 0x0F, 0xE1, 0x01, 0xF0,
                0x00,
            ])
    }

    /// - Parameter body: without its CRC.
    mutating func section(_ pid: UInt16, _ body: [UInt8]) {
        let sum = CRC32.checksum(body[...])
        let whole = [0] + body + [UInt8(sum >> 24), UInt8(sum >> 16 & 0xFF), UInt8(sum >> 8 & 0xFF), UInt8(sum & 0xFF)]
        packet(pid, starts: true, payload: whole + [UInt8](repeating: 0xFF, count: 184 - whole.count))
    }

    /// A picture with its clock 0.1 s ahead of it.
    mutating func picture(_ dts: Int64, pts: Int64? = nil, key: Bool, size: Int = 1000, fill: UInt8 = 0x55) {
        var units: [UInt8] = [0, 0, 0, 1, 0x09, 0xF0]
        if key {
            units += [0, 0, 0, 1] + Self.sps + [0, 0, 0, 1] + Self.pps
        }
        units += [0, 0, 1, key ? 0x65 : 0x41] + [UInt8](repeating: fill, count: size)
        pes(Self.video, id: 0xE0, dts: dts, pts: pts ?? dts, units, length: 0, clock: dts - 9000, randomAccess: key)
    }

    /// ADTS frames of 48 kHz stereo.
    mutating func sound(_ pts: Int64, frames: Int = 1, size: Int = 200, fill: UInt8 = 0x33) {
        var payload: [UInt8] = []
        for _ in 0..<frames { payload += Self.adts(size: size, fill: fill) }
        pes(Self.audio, id: 0xC0, dts: pts, pts: pts, payload, length: payload.count + 8)
    }

    static func adts(size: Int, fill: UInt8) -> [UInt8] {
        let length = size + 7
        return [0xFF, 0xF1, 0x4C, 0x80 | UInt8(length >> 11), UInt8(length >> 3 & 0xFF), UInt8(length & 7) << 5 | 0x1F, 0xFC]
            + [UInt8](repeating: fill, count: size)
    }

    mutating func pes(
        _ pid: UInt16, id: UInt8, dts: Int64, pts: Int64, _ payload: [UInt8], length: Int, clock: Int64? = nil, randomAccess: Bool = false
    ) {
        let both = dts != pts
        var whole: [UInt8] = [0, 0, 1, id, UInt8(length >> 8), UInt8(length & 0xFF), 0x80, both ? 0xC0 : 0x80, both ? 10 : 5]
        whole += stamp(pts, prefix: both ? 3 : 2)
        if both { whole += stamp(dts, prefix: 1) }
        whole += payload
        var rest = whole[...]
        var starts = true
        while !rest.isEmpty {
            rest = packet(pid, starts: starts, payload: rest, clock: starts ? clock : nil, randomAccess: starts && randomAccess)
            starts = false
        }
    }

    private func stamp(_ value: Int64, prefix: UInt8) -> [UInt8] {
        let value = Timestamp.wrap(value)
        return [
            prefix << 4 | UInt8(value >> 30 & 7) << 1 | 1, UInt8(value >> 22 & 0xFF), UInt8(value >> 15 & 0x7F) << 1 | 1,
            UInt8(value >> 7 & 0xFF), UInt8(value & 0x7F) << 1 | 1,
        ]
    }

    mutating func packet(_ pid: UInt16, starts: Bool, payload: [UInt8]) {
        _ = packet(pid, starts: starts, payload: payload[...], clock: nil, randomAccess: false)
    }

    /// - Returns: what did not fit.
    private mutating func packet(
        _ pid: UInt16, starts: Bool, payload: ArraySlice<UInt8>, clock: Int64?, randomAccess: Bool
    ) -> ArraySlice<UInt8> {
        let counter = counters[pid, default: 0]
        counters[pid] = (counter + 1) & 0x0F
        var field: [UInt8] = []
        if let clock {
            let base = Timestamp.wrap(clock)
            field = [
                0x10 | (randomAccess ? 0x40 : 0), UInt8(base >> 25 & 0xFF), UInt8(base >> 17 & 0xFF), UInt8(base >> 9 & 0xFF),
                UInt8(base >> 1 & 0xFF), UInt8(base & 1) << 7 | 0x7E, 0,
            ]
        }
        var hasField = clock != nil
        let room = 184 - (hasField ? field.count + 1 : 0)
        if payload.count < room {
            var missing = room - payload.count
            if !hasField {
                hasField = true
                missing -= 1
                if missing > 0 {
                    field = [0]
                    missing -= 1
                }
            }
            field += [UInt8](repeating: 0xFF, count: missing)
        }
        bytes += [0x47, UInt8(pid >> 8) | (starts ? 0x40 : 0), UInt8(pid & 0xFF), (hasField ? 0x30 : 0x10) | counter]
        if hasField { bytes += [UInt8(field.count)] + field }
        let taken = payload.prefix(184 - (hasField ? field.count + 1 : 0))
        bytes += taken
        precondition(bytes.count % 188 == 0, "a transport packet has 188 bytes")
        return payload.dropFirst(taken.count)
    }

    /// 640x360, baseline: profile_idc 66, level 30, sps_id 0, log2_max_frame_num 4, poc type 2, 1 reference frame, 40x23 macroblocks,
    /// frame_mbs_only, direct_8x8, cropped by 4 units (8 rows) at the bottom, no VUI.
    static let sps: [UInt8] = BitWriter.write { bits in
        bits.fixed(0x67, 8)
        bits.fixed(66, 8)
        bits.fixed(0, 8)
        bits.fixed(30, 8)
        for value in [0, 0, 2, 1] { bits.unsigned(value) }
        bits.fixed(0, 1)
        bits.unsigned(39)
        bits.unsigned(22)
        bits.fixed(1, 1)
        bits.fixed(1, 1)
        bits.fixed(1, 1)
        for value in [0, 0, 0, 4] { bits.unsigned(value) }
        bits.fixed(0, 1)
    }
    static let pps: [UInt8] = [0x68, 0xCE, 0x38, 0x80]
}

/// A generator of numbers that a test can repeat (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// What a reader gave out.
struct Collected {
    var videos: [VideoUnit] = []
    var sounds: [AudioUnit] = []
    var groups: [TransportGroup] = []
    var programs: [Program] = []
    var order: [MediaTime] = []

    mutating func take(_ event: StreamReader.Event) {
        switch event {
        case .program(let program): programs.append(program)
        case .video(let unit):
            videos.append(unit)
            order.append(unit.decode)
        case .audio(let unit):
            sounds.append(unit)
            order.append(unit.presentation)
        case .group(let group): groups.append(group)
        }
    }

    /// Reads all of it, in one piece or in chunks of the given sizes in turn.
    static func reading(_ bytes: [UInt8], chunks: [Int] = [], arrival: Duration = .zero) -> Collected {
        var reader = StreamReader()
        reader.makesGroups = true
        var collected = Collected()
        collected.read(bytes, with: &reader, chunks: chunks, arrival: arrival)
        reader.finish { collected.take($0) }
        return collected
    }

    mutating func read(_ bytes: [UInt8], with reader: inout StreamReader, chunks: [Int] = [], arrival: Duration = .zero) {
        var position = 0
        var turn = 0
        while position < bytes.count {
            let size = chunks.isEmpty ? bytes.count : chunks[turn % chunks.count]
            let end = min(bytes.count, position + max(1, size))
            reader.feed(Array(bytes[position..<end]), arrival: arrival) { take($0) }
            position = end
            turn += 1
        }
    }
}
