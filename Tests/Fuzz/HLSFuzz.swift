import Fleet
import Wire

/// What a host gives of a preview, as one that was taken over could, and what players outside read of it: the playlist keeps the rules that
/// it can keep by itself, names files that are there, and the bytes are bounded.
package func fuzzHLS(_ bytes: [UInt8]) -> String? {
    var window = HLSWindow()
    var framer = PreviewFramer()
    var violation: String?
    var last = 0
    do {
        try framer.feed(bytes) { chunk in
            window.take(chunk)
            violation = violation ?? fault(of: window, last: &last)
        }
    } catch {
        // What came before it counts.
    }
    // The bytes alone as a fragment, so that its parser is reached without a frame around it.
    window.take(PreviewChunk(.beginning, [0, 1]))
    for kind in [PreviewChunk.Kind.key, .more, .key] where bytes.count < WireLimits.previewBytes { window.take(PreviewChunk(kind, bytes)) }
    window.end()
    return violation ?? fault(of: window, last: &last)
}

private func fault(of window: HLSWindow, last: inout Int) -> String? {
    guard window.bytes <= HLSWindow.byteLimit else { return "\(window.bytes) bytes" }
    guard let playlist = window.playlist else { return nil }
    let lines = playlist.split(separator: "\n")
    let files = lines.filter { $0.first != "#" }
    let first = lines.first { $0.hasPrefix("#EXT-X-MEDIA-SEQUENCE:") }.flatMap { Int($0.dropFirst(22)) } ?? -1
    guard first >= last, files.enumerated().allSatisfy({ $0.element == "\(first + $0.offset).m4s" }) else { return "numbers that go back" }
    last = first
    let maps = lines.filter { $0.hasPrefix("#EXT-X-MAP:URI=\"") }.map { $0.dropFirst(16).dropLast() }
    guard !maps.isEmpty, (files + maps).allSatisfy({ window.file(String($0)) != nil }) else { return "a file that is not there" }
    let durations = lines.filter { $0.hasPrefix("#EXTINF:") }.map { Double($0.dropFirst(8).dropLast()) ?? 99 }
    return durations.allSatisfy { (0..<3.5).contains($0) } ? nil : "a segment longer than the target"
}
