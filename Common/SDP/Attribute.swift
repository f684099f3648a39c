import RTP

/// One `a=` line.
struct Attribute {
    let line: Int
    let name: String
    /// Behind the colon; at its end where there is none.
    let value: Words

    init(_ line: LineReader.Line) throws(SDPFault) {
        var value = line.value
        guard let name = value.take(until: UInt8(ascii: ":")), !name.isEmpty else { throw SDPFault(line: line.number, .syntax, "a=") }
        self.line = line.number
        self.name = name
        self.value = value
    }

    /// Only for names that we know: it repeats the name.
    func fault(_ reason: SDPFault.Reason) -> SDPFault { SDPFault(line: line, reason, "a=\(name)") }

    /// The whole value.
    func text(_ isRight: (String) -> Bool) throws(SDPFault) -> String {
        var value = value
        let text = value.rest()
        guard isRight(text) else { throw fault(.syntax) }
        return text
    }

    func number<Value: FixedWidthInteger>(_ range: ClosedRange<Value>) throws(SDPFault) -> Value {
        var value = value
        guard let number = value.number(range), value.isAtEnd else { throw fault(.range) }
        return number
    }

    /// token of RFC 8866 section 9.
    static func isToken(_ text: some StringProtocol) -> Bool { !text.isEmpty && text.utf8.allSatisfy(Label.isTokenByte) }
}

/// Collects the lines of a description.
struct LineWriter {
    private(set) var text = ""

    mutating func line(_ type: Character, _ value: String) { text += "\(type)=\(value)\r\n" }

    mutating func attribute(_ name: String, _ value: String? = nil) {
        line("a", value.map { "\(name):\($0)" } ?? name)
    }
}
