import TOML
package import Units

/// The keys of one section. Each getter names its key, what it may be, and its default; without one the key must be given.
///
/// A number's unit is the suffix of its key: `grace_seconds`, `limit_mib`.
package struct ConfigurationSection {
    private let reader: ConfigurationReader
    private let path: String
    private let table: TOMLTable
    private let hasVariables: Bool

    init(_ reader: ConfigurationReader, path: String, table: TOMLTable, hasVariables: Bool) {
        self.reader = reader
        self.path = path
        self.table = table
        self.hasVariables = hasVariables
    }

    /// - Parameter rule: a further rule and its name, e.g. `("an absolute path") { $0.hasPrefix("/") }`.
    package func string(
        _ key: String, default fallback: String? = nil, _ expected: String = "a text", where rule: (String) -> Bool = { _ in true }
    ) -> String {
        read(key, fallback, expected, placeholder: "") { value in
            guard case .string(let text) = value, rule(text) else { return nil }
            return text
        }
    }

    /// nil where the key is not given.
    package func optionalString(
        _ key: String, _ expected: String = "a text", where rule: (String) -> Bool = { _ in true }
    ) -> String? {
        isGiven(key) ? string(key, expected, where: rule) : nil
    }

    /// A text that faults never repeat.
    package func secret(_ key: String) -> Secret? {
        guard isGiven(key) else { return nil }
        return read(key, nil, "a text", placeholder: Secret(""), shown: false) { value in
            guard case .string(let text) = value else { return nil }
            return Secret(text)
        }
    }

    package func integer(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Int {
        read(key, fallback, "\(range.lowerBound) to \(range.upperBound)", placeholder: range.lowerBound) { value in
            guard case .integer(let number) = value, range.contains(number) else { return nil }
            return number
        }
    }

    /// A number that may have a fraction.
    package func number(_ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>) -> Double {
        read(key, fallback, "\(range.lowerBound) to \(range.upperBound)", placeholder: range.lowerBound) { value -> Double? in
            switch value {
            case .float(let number) where range.contains(number): return number
            case .integer(let number) where range.contains(Double(number)): return Double(number)
            default: return nil
            }
        }
    }

    package func boolean(_ key: String, default fallback: Bool? = nil) -> Bool {
        read(key, fallback, "true or false", placeholder: false) { value in
            guard case .boolean(let flag) = value else { return nil }
            return flag
        }
    }

    /// One of an enum's raw values.
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Choice? = nil, of type: Choice.Type = Choice.self, placeholder: Choice
    ) -> Choice where Choice.RawValue == String {
        let names = type.allCases.map(\.rawValue).joined(separator: ", ")
        return read(key, fallback, "one of \(names)", placeholder: placeholder) { value in
            guard case .string(let text) = value else { return nil }
            return Choice(rawValue: text)
        }
    }

    /// - Parameter isFilled: whether an empty list is a fault.
    package func strings(
        _ key: String, default fallback: [String]? = nil, _ expected: String = "a list of texts", isFilled: Bool = false,
        where rule: (String) -> Bool = { _ in true }
    ) -> [String] {
        func text(_ value: TOMLValue) -> String? {
            guard case .string(let text) = value, rule(text) else { return nil }
            return text
        }
        func wrong(_ value: TOMLValue) -> String {
            guard case .array(let values) = value else { return "\(value.shown), which is no list" }
            if values.isEmpty { return "an empty list" }
            return values.enumerated().filter { text($0.element) == nil }
                .map { "\($0.element.shown) (entry \($0.offset + 1) of \(values.count))" }.joined(separator: ", ")
        }
        return read(key, fallback, expected, placeholder: [], showing: wrong) { value in
            guard case .array(let values) = value else { return nil }
            let texts = values.compactMap(text)
            return texts.count == values.count && !(isFilled && texts.isEmpty) ? texts : nil
        }
    }

    /// - Parameter key: ends in `_ms`, `_seconds`, `_minutes`, `_hours` or `_days`.
    /// - Parameter range: in that unit.
    package func duration(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Duration {
        let units: [(String, Int)] = [("_ms", 1), ("_seconds", 1000), ("_minutes", 60_000), ("_hours", 3_600_000), ("_days", 86_400_000)]
        return .milliseconds(integer(key, default: fallback, in: range) * scale(key, units))
    }

    /// - Parameter key: ends in `_bytes`, `_kib`, `_mib` or `_gib`.
    /// - Returns: bytes.
    package func size(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Int {
        integer(key, default: fallback, in: range) * scale(key, [("_bytes", 1), ("_kib", 1 << 10), ("_mib", 1 << 20), ("_gib", 1 << 30)])
    }

    /// - Parameter key: ends in `_kbit` or `_mbit`, per second.
    package func bitrate(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Bitrate {
        .kilobits(integer(key, default: fallback, in: range) * scale(key, [("_kbit", 1), ("_mbit", 1000)]))
    }

    /// `host:port`, `[::]:443`.
    package func address(_ key: String, default fallback: HostPort? = nil) -> HostPort {
        read(key, fallback, HostPort.expected, placeholder: HostPort(host: "", port: 1)) { value in
            guard case .string(let text) = value else { return nil }
            return HostPort(text)
        }
    }

    package func addresses(_ key: String, default fallback: [HostPort]? = nil) -> [HostPort] {
        strings(key, default: fallback?.map(\.description), "a list of \(HostPort.expected)") { HostPort($0) != nil }.compactMap {
            HostPort($0)
        }
    }

    /// Who is sent to: at least one, each with a port of its own.
    package func peers(_ key: String) -> [HostPort] {
        func peer(_ text: String) -> HostPort? { HostPort(text).flatMap { $0.port > 0 ? $0 : nil } }
        let expected = "a list of host:port with a port of 1 to 65535, at least one"
        return strings(key, expected, isFilled: true) { peer($0) != nil }.compactMap(peer)
    }

    /// Whether the file or the environment has this key.
    package func isGiven(_ key: String) -> Bool {
        let name = dotted(key)
        reader.markKnown(name)
        return table[key] != nil || (hasVariables && reader.override(name) != nil)
    }

    private func dotted(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func read<Value>(
        _ key: String, _ fallback: Value?, _ expected: String, placeholder: Value, shown: Bool = true,
        showing: (TOMLValue) -> String = { $0.shown }, _ convert: (TOMLValue) -> Value?
    ) -> Value {
        let name = dotted(key)
        reader.markKnown(name)
        if hasVariables, let (variable, text) = reader.override(name) {
            if let value = Self.readings(of: text).lazy.compactMap(convert).first { return value }
            reader.note(name, shown ? "'\(text)'" : nil, expected, variable)
            return placeholder
        }
        guard let value = table[key] else {
            if let fallback { return fallback }
            reader.note(name, nil, "\(expected); it is missing")
            return placeholder
        }
        if let converted = convert(value) { return converted }
        reader.note(name, shown ? showing(value) : nil, expected, table.position(of: key).map { "\($0)" })
        return placeholder
    }

    /// What a variable's text may mean: the getter takes the first that fits it.
    private static func readings(of text: String) -> [TOMLValue] {
        var readings: [TOMLValue] = [.string(text)]
        if let number = Int(text) { readings.append(.integer(number)) }
        if let number = Double(text) { readings.append(.float(number)) }
        if let flag = Bool(text) { readings.append(.boolean(flag)) }
        let items = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
        readings.append(.array(items.map { .string(String($0)) }))
        return readings
    }

    private func scale(_ key: String, _ units: [(suffix: String, factor: Int)]) -> Int {
        guard let unit = units.first(where: { key.hasSuffix($0.suffix) }) else { preconditionFailure("a key without its unit: \(key)") }
        return unit.factor
    }
}

/// Where something listens or is reached: a host and a port.
package struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address; IPv6 without its brackets.
    package let host: String
    package let port: Int

    static let expected = "host:port with a port of 0 to 65535"

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// nil for anything but `host:port`; IPv6 stands in brackets. Port 0 is one that the system picks.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port),
            text[text.index(after: colon)...].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        if isBracketed { host = host.dropFirst().dropLast() }
        let extra: Set<Character> = isBracketed ? [":", "."] : [".", "-", "_"]
        guard !host.isEmpty, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || extra.contains($0) }) else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension TOMLValue {
    /// For a fault: short, on one line.
    fileprivate var shown: String {
        switch self {
        case .string(let text): "'\(text.prefix(80))'"
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .date(let text): text
        case .array, .table: kind
        }
    }
}
