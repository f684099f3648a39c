import Redaction
import Reporting
import Tracing

/// What leaves for a tracker: a text no longer than it may be, without a mail address, and the same each time.
func fuzzRedaction(_ bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    let shown = Redactor.redacted(text, upTo: 500)
    if shown.unicodeScalars.count > 501 { return "longer than it may be" }
    let left = Array(shown.utf8)
    func isWord(_ index: Int) -> Bool {
        guard left.indices.contains(index) else { return false }
        return (0x30...0x39).contains(left[index]) || (0x41...0x5a).contains(left[index]) || (0x61...0x7a).contains(left[index])
    }
    for (index, byte) in left.enumerated() where byte == UInt8(ascii: "@") {
        if isWord(index - 1), isWord(index + 1) { return "a mail address is left: \(shown)" }
    }
    if Redactor.redacted(text, named: "password") != "[secret]" { return "a password is shown" }
    return Redactor.redacted(text, upTo: 500) == shown ? nil : "not the same twice"
}

/// A browser's stack: places within bounds, each with a file.
func fuzzPageStack(_ bytes: [UInt8]) -> String? {
    let frames = PageStack.frames(String(decoding: bytes, as: UTF8.self))
    if frames.count > 50 { return "\(frames.count) frames" }
    for frame in frames {
        if frame.file.isEmpty || frame.function?.isEmpty == true { return "nothing where something has to be" }
        guard let line = frame.line, let column = frame.column, line >= 0, column >= 0 else { return "no place" }
    }
    return nil
}

/// A trace's context: what was taken says what was written.
func fuzzTraceparent(_ bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let context = TraceContext(traceparent: text) else { return nil }
    let ids = "-\(context.traceID)-\(context.spanID)-"
    if !text.dropFirst(2).hasPrefix(ids) { return "other ids than were written" }
    let none = String(repeating: "0", count: 16)
    return context.spanID == none || context.traceID == none + none ? "an id of nothing" : nil
}
