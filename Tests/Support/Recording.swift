import Foundation

/// Reads access units out of recordings: parsers of their own, so that ours are not judged by themselves.
package enum Recording {
    /// The agent's trace file.
    package static func trace(_ path: String) throws -> [AccessUnit] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap(AccessUnit.init(trace:))
    }

    /// FLV (nginx) or MPEG-TS (SRT, file), by its first byte; a last unit that is cut off is left out.
    /// - Parameter isEnded: the recording was ended as it should be: what its last PES packet holds is whole, also where that
    ///   does not say its length, as those of pictures do not.
    package static func accessUnits(_ path: String, isEnded: Bool = false) throws -> [AccessUnit] {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        if bytes.starts(with: Array("FLV".utf8)) { return flv(bytes) }
        guard bytes.first == 0x47 || bytes.isEmpty else { throw SupportFailure("\(path) is neither FLV nor MPEG-TS") }
        return transportStream(bytes, isEnded: isEnded)
    }

    // MARK: FLV. Source: Adobe, Video File Format Specification 10.1, annex E.

    private static func flv(_ bytes: [UInt8]) -> [AccessUnit] {
        var units: [AccessUnit] = []
        var lengthSize = 4
        var at = number(bytes[5..<9]) + 4
        while at + 11 <= bytes.count {
            let size = number(bytes[at + 1..<at + 4])
            guard at + 11 + size <= bytes.count else { break }
            let ms = Int64(number(bytes[at + 4..<at + 7]) | Int(bytes[at + 7]) << 24)
            let body = bytes[at + 11..<at + 11 + size]
            let kind = bytes[at] & 0x1F
            at += 11 + size + 4
            if kind == 9, body.count > 5, body[body.startIndex] & 0xF == 7 {
                let data = body.dropFirst(5)
                if body[body.startIndex + 1] == 0 {
                    lengthSize = Int(data[data.startIndex + 4] & 3) + 1
                } else if body[body.startIndex + 1] == 1 {
                    let raw = number(body[body.startIndex + 2..<body.startIndex + 5])
                    let offset = raw & 0x80_0000 != 0 ? raw - 0x100_0000 : raw
                    units.append(AccessUnit(.h264, split(data, lengthSize), ptsTicks: (ms + Int64(offset)) * 90))
                }
            } else if kind == 8, body.count > 2, body[body.startIndex] >> 4 == 10, body[body.startIndex + 1] == 1 {
                units.append(AccessUnit(audio: body.dropFirst(2), ptsTicks: ms * 90))
            }
        }
        return units
    }

    /// NAL units with their length before each (ISO/IEC 14496-15, 5.3).
    private static func split(_ data: ArraySlice<UInt8>, _ lengthSize: Int) -> [ArraySlice<UInt8>] {
        var units: [ArraySlice<UInt8>] = []
        var rest = data
        while rest.count > lengthSize {
            let size = number(rest.prefix(lengthSize))
            units.append(rest.dropFirst(lengthSize).prefix(size))
            rest = rest.dropFirst(lengthSize + size)
        }
        return units
    }

    // MARK: MPEG-TS. Source: ISO/IEC 13818-1, 2.4.

    private enum Coding { case video(VideoCodec), aac }

    private struct Elementary {
        let coding: Coding
        var pes: [UInt8] = []
    }

    private static func transportStream(_ bytes: [UInt8], isEnded: Bool) -> [AccessUnit] {
        var units: [AccessUnit] = []
        var programMap: Int?
        var streams: [Int: Elementary] = [:]
        for at in stride(from: 0, through: bytes.count - 188, by: 188) where bytes[at] == 0x47 {
            let packet = bytes[at..<at + 188]
            let identifier = Int(packet[at + 1] & 0x1F) << 8 | Int(packet[at + 2])
            let starts = packet[at + 1] & 0x40 != 0
            let hasAdaptation = packet[at + 3] & 0x20 != 0
            guard packet[at + 3] & 0x10 != 0 else { continue }
            let payload = packet.dropFirst(hasAdaptation ? 5 + Int(packet[at + 4]) : 4)
            if identifier == 0, starts {
                programMap = section(payload).flatMap { $0.count > 12 ? number($0.dropFirst(10).prefix(2)) & 0x1FFF : nil }
            } else if identifier == programMap, starts, let table = section(payload) {
                for (identifier, coding) in elementaryStreams(table) where streams[identifier] == nil {
                    streams[identifier] = Elementary(coding: coding)
                }
            } else if let stream = streams[identifier] {
                if starts {
                    units += unpack(stream)
                    streams[identifier]?.pes = Array(payload)
                } else if !stream.pes.isEmpty {
                    streams[identifier]?.pes += payload
                }
            }
        }
        for stream in streams.values where isEnded || isWhole(stream.pes) { units += unpack(stream) }
        return units
    }

    /// A PSI section from its table id on.
    private static func section(_ payload: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let pointer = payload.first, payload.count > Int(pointer) + 12 else { return nil }
        return payload.dropFirst(1 + Int(pointer))
    }

    private static func elementaryStreams(_ table: ArraySlice<UInt8>) -> [(Int, Coding)] {
        let end = min(3 + (number(table.dropFirst(1).prefix(2)) & 0xFFF) - 4, table.count)
        var at = 12 + (number(table.dropFirst(10).prefix(2)) & 0xFFF)
        var streams: [(Int, Coding)] = []
        while at + 5 <= end {
            let entry = table.dropFirst(at)
            let codings: [UInt8: Coding] = [0x1B: .video(.h264), 0x24: .video(.h265), 0x0F: .aac]
            if let type = entry.first, let coding = codings[type] {
                streams.append((number(entry.dropFirst(1).prefix(2)) & 0x1FFF, coding))
            }
            at += 5 + (number(entry.dropFirst(3).prefix(2)) & 0xFFF)
        }
        return streams
    }

    /// The last PES of a recording may be cut off; one without a length is taken as it is.
    private static func isWhole(_ pes: [UInt8]) -> Bool {
        guard pes.count > 9 else { return false }
        let length = Int(pes[4]) << 8 | Int(pes[5])
        return length != 0 && pes.count >= 6 + length
    }

    private static func unpack(_ stream: Elementary) -> [AccessUnit] {
        let pes = stream.pes
        guard pes.count > 14, pes[0] == 0, pes[1] == 0, pes[2] == 1, pes.count >= 9 + Int(pes[8]) else { return [] }
        let length = Int(pes[4]) << 8 | Int(pes[5])
        let payload = pes[(9 + Int(pes[8]))..<(length == 0 ? pes.count : min(pes.count, 6 + length))]
        let ticks =
            Int64(pes[9] & 0x0E) << 29 | Int64(pes[10]) << 22 | Int64(pes[11] & 0xFE) << 14 | Int64(pes[12]) << 7 | Int64(pes[13]) >> 1
        switch stream.coding {
        case .video(let codec): return [AccessUnit(codec, annexB(payload), ptsTicks: ticks)]
        case .aac: return adts(payload, ticks)
        }
    }

    /// NAL units between start codes, without the zeros that may trail them (ITU-T H.264, annex B).
    private static func annexB(_ data: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var units: [ArraySlice<UInt8>] = []
        var start: Int?
        var at = data.startIndex
        func close(_ end: Int) {
            guard let start else { return }
            var end = end
            while end > start, data[end - 1] == 0 { end -= 1 }
            units.append(data[start..<end])
        }
        while at + 3 <= data.endIndex {
            if data[at] == 0, data[at + 1] == 0, data[at + 2] == 1 {
                close(at)
                start = at + 3
                at += 3
            } else {
                at += 1
            }
        }
        close(data.endIndex)
        return units
    }

    /// Raw frames out of ADTS (ISO/IEC 13818-7, 6.2): 1024 samples each.
    private static func adts(_ data: ArraySlice<UInt8>, _ ticks: Int64) -> [AccessUnit] {
        let rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]
        var units: [AccessUnit] = []
        var rest = data
        while rest.count > 7 {
            let at = rest.startIndex
            let size = Int(rest[at + 3] & 3) << 11 | Int(rest[at + 4]) << 3 | Int(rest[at + 5]) >> 5
            let index = Int(rest[at + 2] >> 2 & 15)
            guard rest[at] == 0xFF, rest[at + 1] & 0xF0 == 0xF0, size > 7, size <= rest.count, index < rates.count else { break }
            let header = rest[at + 1] & 1 == 1 ? 7 : 9
            let later = Int64(units.count * 1024 * 90_000 / rates[index])
            units.append(AccessUnit(audio: rest[(at + header)..<(at + size)], ptsTicks: ticks + later))
            rest = rest.dropFirst(size)
        }
        return units
    }

    /// Big endian.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
