/// What one side of a WebSocket makes of bytes, as lines of text: for the fuzzer, which compares them over ways to cut the bytes.
package struct FrameTranscript {
    package private(set) var lines: [String] = []
    private let reader = FrameReader()
    private let codec = DeflateCodec()
    private var assembler: MessageAssembler
    private var isOver = false

    package init(isServer: Bool, deflate: Bool, limit: Int) {
        assembler = MessageAssembler(limit: limit, expectsMask: isServer, deflate: deflate)
    }

    /// Takes the next bytes; nothing more behind a violation.
    package mutating func feed(_ bytes: [UInt8]) {
        guard !isOver else { return }
        bytes.withUnsafeBytes { buffer in
            reader.feed(buffer)
            while !isOver {
                switch reader.next() {
                case .needMore: return
                case .malformed: end("malformed")
                case .payload(let head, let payload, let isFirst, let isLast): take(head, payload, isFirst, isLast)
                }
            }
        }
    }

    private mutating func take(_ head: FrameHead, _ payload: UnsafeRawBufferPointer, _ isFirst: Bool, _ isLast: Bool) {
        let codec = codec
        do throws(MessageAssembler.Violation) {
            let event = try assembler.take(head, payload, isFirst: isFirst, isLast: isLast) {
                bytes, limit throws(DeflateCodec.InflateFault) in
                try codec.decompress(bytes, limit: limit)
            }
            if let event { lines.append("\(event)") }
        } catch {
            end("violation \(error.code)")
        }
    }

    private mutating func end(_ line: String) {
        lines.append(line)
        isOver = true
    }
}
