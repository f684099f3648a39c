/// What the tables say about the program that is carried.
package struct Program: Sendable, Hashable {
    package enum Coding: Sendable, Hashable {
        case h264, h265, aac
        /// Carried on for those who take transport packets, not taken apart: the stream type, and a registration if there is one.
        case other(streamType: UInt8, registration: String?)
    }

    package struct Stream: Sendable, Hashable {
        package let pid: UInt16
        package let coding: Coding
    }

    package let tablePID: UInt16
    package let clockPID: UInt16
    package let streams: [Stream]

    /// The first video stream that can be taken apart.
    package var video: Stream? { streams.first { $0.coding == .h264 || $0.coding == .h265 } }
    /// The first audio stream that can be taken apart.
    package var audio: Stream? { streams.first { $0.coding == .aac } }
}

/// Puts the sections of one PID together; holds at most one, of at most 1024 bytes.
///
/// Source: ISO/IEC 13818-1, 2.4.4.
struct SectionAssembler {
    private var bytes: [UInt8] = []
    private var wanted = 0

    /// - Returns: the sections that became whole and pass their CRC.
    mutating func feed(_ packet: Packet, _ source: [UInt8]) -> [ArraySlice<UInt8>] {
        var position = packet.payloadStart
        guard position < packet.end else { return [] }
        var whole: [ArraySlice<UInt8>] = []
        if packet.startsUnit {
            let pointer = Int(source[position])
            position += 1
            guard position + pointer <= packet.end else {
                lose()
                return []
            }
            if wanted > 0, let section = take(source[position..<position + pointer]) { whole.append(section) }
            lose()
            position += pointer
            while position < packet.end, source[position] != 0xFF {
                guard position + 3 <= packet.end else { break }
                wanted = 3 + Int(source[position + 1] & 0x0F) << 8 + Int(source[position + 2])
                guard wanted <= 1024 else { return discard(whole) }
                let end = min(packet.end, position + wanted)
                if let section = take(source[position..<end]) { whole.append(section) }
                position = end
            }
        } else if wanted > 0, let section = take(source[position..<packet.end]) {
            whole.append(section)
        }
        return whole
    }

    /// Forgets what was begun: a packet was lost.
    mutating func lose() {
        bytes.removeAll(keepingCapacity: true)
        wanted = 0
    }

    private mutating func discard(_ whole: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>] {
        lose()
        return whole
    }

    private mutating func take(_ more: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        bytes.append(contentsOf: more.prefix(wanted - bytes.count))
        guard bytes.count == wanted else { return nil }
        let section = bytes[...]
        lose()
        return section.count >= 12 && CRC32.checksum(section) == 0 ? section : nil
    }
}

/// The program association and program map sections.
enum ProgramTables {
    /// The PID of the first program's map.
    /// - Parameter section: whole, with a good CRC, at least 12 bytes.
    static func mapPID(_ section: ArraySlice<UInt8>) -> UInt16? {
        guard section.first == 0x00, isCurrent(section) else { return nil }
        var position = section.startIndex + 8
        while position + 4 <= section.endIndex - 4 {
            let number = UInt16(section[position]) << 8 | UInt16(section[position + 1])
            if number != 0 { return pid(section, position + 2) }
            position += 4
        }
        return nil
    }

    static func program(_ section: ArraySlice<UInt8>, tablePID: UInt16) -> Program? {
        let start = section.startIndex
        guard section.first == 0x02, section.count >= 16, isCurrent(section) else { return nil }
        let end = section.endIndex - 4
        var position = start + 12 + length(section, start + 10)
        var streams: [Program.Stream] = []
        while position + 5 <= end, streams.count < 32 {
            let descriptors = position + 5
            let next = descriptors + length(section, position + 3)
            guard next <= end else { return nil }
            let coding = coding(section[position], section[descriptors..<next])
            streams.append(Program.Stream(pid: pid(section, position + 1), coding: coding))
            position = next
        }
        return Program(tablePID: tablePID, clockPID: pid(section, start + 8), streams: streams)
    }

    /// Stream types: ISO/IEC 13818-1, table 2-34.
    private static func coding(_ type: UInt8, _ descriptors: ArraySlice<UInt8>) -> Program.Coding {
        switch type {
        case 0x1B: .h264
        case 0x24: .h265
        case 0x0F: .aac
        default: .other(streamType: type, registration: registration(descriptors))
        }
    }

    /// The four characters of a registration descriptor (tag 5), such as `Opus`.
    private static func registration(_ descriptors: ArraySlice<UInt8>) -> String? {
        var position = descriptors.startIndex
        while position + 2 <= descriptors.endIndex {
            let body = position + 2
            let next = body + Int(descriptors[position + 1])
            guard next <= descriptors.endIndex else { return nil }
            if descriptors[position] == 5, next - body >= 4 {
                let text = descriptors[body..<body + 4]
                return text.allSatisfy { (0x20..<0x7F).contains($0) } ? String(decoding: text, as: UTF8.self) : nil
            }
            position = next
        }
        return nil
    }

    private static func isCurrent(_ section: ArraySlice<UInt8>) -> Bool { section[section.startIndex + 5] & 1 != 0 }

    private static func pid(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt16 { UInt16(bytes[at] & 0x1F) << 8 | UInt16(bytes[at + 1]) }

    private static func length(_ bytes: ArraySlice<UInt8>, _ at: Int) -> Int { Int(bytes[at] & 0x0F) << 8 | Int(bytes[at + 1]) }
}
