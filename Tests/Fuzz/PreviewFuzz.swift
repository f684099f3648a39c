import Fragments
import MPEGTS
import Wire

/// A transport stream as a preview is made of it: each chunk is whole boxes of their own lengths, within a chunk's bounds, and a fragment has
/// the bytes that its samples say, in the order of their times.
package func fuzzFragments(_ bytes: [UInt8]) -> String? {
    var reader = StreamReader()
    var writer = FragmentWriter()
    var violation: String?
    var hasBegun = false
    func look(_ chunk: PreviewChunk) {
        hasBegun = hasBegun || chunk.kind == .beginning
        violation = violation ?? (hasBegun ? fault(of: chunk) : "a fragment before its beginning")
    }
    for position in stride(from: 0, to: bytes.count, by: 1316) {
        reader.feed(Array(bytes[position..<min(bytes.count, position + 1316)]), arrival: .milliseconds(position / 1316)) {
            writer.take($0, look)
        }
    }
    reader.finish { writer.take($0, look) }
    return violation
}

/// What a receiver gives its pool, as one that was taken over could: it comes out as it went in, or not at all, however it is cut.
package func fuzzPreview(_ bytes: [UInt8]) -> String? {
    func chunks(_ size: Int) -> [PreviewChunk] {
        var framer = PreviewFramer()
        var chunks: [PreviewChunk] = []
        do {
            for at in stride(from: 0, to: bytes.count, by: size) {
                try framer.feed(bytes[at..<min(bytes.count, at + size)]) { chunks.append($0) }
            }
        } catch {
            // What came before it counts.
        }
        return chunks
    }
    let whole = chunks(max(1, bytes.count))
    if whole.flatMap(\.framed) != Array(bytes.prefix(whole.reduce(0) { $0 + $1.framed.count })) { return "chunks that did not come" }
    return [1, 5, 64].allSatisfy { chunks($0) == whole } ? nil : "chunks that depend on how they are cut"
}

private func fault(of chunk: PreviewChunk) -> String? {
    guard PreviewChunk(message: chunk.bytes) == chunk else { return "a chunk of \(chunk.bytes.count) bytes" }
    let body = Array(chunk.bytes.dropFirst())
    guard chunk.kind == .beginning else { return fault(ofFragment: body, isKey: chunk.kind == .key) }
    let count = Int(body[0])
    guard count > 0, body.count > 1 + count else { return "a beginning without codecs" }
    return boxes(Array(body.dropFirst(1 + count)))?.map(\.name) == ["ftyp", "moov"] ? nil : "a beginning of other boxes"
}

private func fault(ofFragment body: [UInt8], isKey: Bool) -> String? {
    guard let all = boxes(body), all.map(\.name) == ["moof", "mdat"], let movie = boxes(all[0].body) else {
        return "a fragment of other boxes"
    }
    var (size, isFirst) = (0, true)
    for track in movie where track.name == "traf" {
        guard let parts = boxes(track.body), parts.map(\.name) == ["tfhd", "tfdt", "trun"] else { return "a track of other boxes" }
        let (time, run) = (parts[1].body, parts[2].body)
        guard time.count == 12, time[4] < 0x80, run.count >= 12 else { return "a track that is cut" }
        let (samples, hasFlags) = (number(run, 4), run[2] & 4 != 0)
        let length = hasFlags ? 16 : 8
        guard samples > 0, run.count == 12 + samples * length else { return "\(samples) samples in \(run.count) bytes" }
        guard number(run, 8) == all[0].body.count + 16 + size else { return "samples elsewhere" }
        if isFirst, hasFlags, isKey != (run[12 + 8] == 2) { return "a fragment that does not begin as it says" }
        isFirst = false
        for at in stride(from: 12, to: run.count, by: length) {
            guard (1...900_000).contains(number(run, at)) else { return "a sample that takes \(number(run, at))" }
            size += number(run, at + 4)
        }
    }
    return size == all[1].body.count && size > 0 ? nil : "\(all[1].body.count) bytes of \(size)"
}

private func boxes(_ bytes: [UInt8]) -> [(name: String, body: [UInt8])]? {
    var result: [(name: String, body: [UInt8])] = []
    var at = 0
    while at < bytes.count {
        guard at + 8 <= bytes.count else { return nil }
        let length = number(bytes, at)
        guard length >= 8, at + length <= bytes.count else { return nil }
        result.append((String(decoding: bytes[at + 4..<at + 8], as: UTF8.self), Array(bytes[at + 8..<at + length])))
        at += length
    }
    return result
}

private func number(_ bytes: [UInt8], _ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
