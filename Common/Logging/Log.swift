import Glibc
import Posix
import Units

/// Where a module says what a person may want to know: a JSON line per event on standard error.
///
/// The message is a constant sentence; facts are fields with dotted keys and units. Nothing is logged per packet.
package struct Log: Sendable {
    package enum Level: Int, Sendable, Comparable, CaseIterable {
        case trace, debug, info, notice, warning, error

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        package init?(name: String) {
            guard let level = Level.allCases.first(where: { "\($0)" == name }) else { return nil }
            self = level
        }
    }

    private let subsystem: String
    private let threshold: Level
    private let fields: [Field]
    private let write: @Sendable (String) -> Void
    /// Hears of what happens, whatever is written.
    private var tap: (@Sendable (Entry) -> Void)?

    private typealias Field = (key: String, value: Value)

    /// - Parameter subsystem: the program, e.g. `agent`.
    package init(_ subsystem: String, threshold: Level = .notice) {
        self.init(subsystem, threshold: threshold, write: Log.writeToStandardError)
    }

    /// - Parameter write: takes one line without its newline; called on any thread.
    package init(_ subsystem: String, threshold: Level, write: @escaping @Sendable (String) -> Void) {
        self.subsystem = subsystem
        self.threshold = threshold
        self.write = write
        fields = []
    }

    private init(_ other: Log, subsystem: String, fields: [Field]) {
        self.subsystem = subsystem
        threshold = other.threshold
        write = other.write
        tap = other.tap
        self.fields = fields
    }

    /// The same log, of which `tap` hears all from notices on, whatever the threshold.
    ///
    /// - Parameter tap: called on whatever thread the event is logged on; it waits for nothing and logs nothing.
    package func heard(by tap: @escaping @Sendable (Entry) -> Void) -> Log {
        var log = self
        log.tap = tap
        return log
    }

    /// The same log for a part of the program: `log.part("uplink")`.
    package func part(_ name: String) -> Log { Log(self, subsystem: "\(subsystem).\(name)", fields: fields) }

    /// The same log with a field in every line.
    package func with(_ key: String, _ value: Value) -> Log { Log(self, subsystem: subsystem, fields: fields + [(key, value)]) }

    package func error(
        _ message: StaticString, _ fields: KeyValuePairs<String, Value> = [:], file: StaticString = #fileID, line: UInt = #line
    ) {
        emit(.error, message, fields, Place(file: "\(file)", line: Int(line)))
    }
    package func warning(_ message: StaticString, _ fields: KeyValuePairs<String, Value> = [:]) { emit(.warning, message, fields) }
    package func notice(_ message: StaticString, _ fields: KeyValuePairs<String, Value> = [:]) { emit(.notice, message, fields) }
    package func info(_ message: StaticString, _ fields: KeyValuePairs<String, Value> = [:]) { emit(.info, message, fields) }
    package func debug(_ message: StaticString, _ fields: KeyValuePairs<String, Value> = [:]) { emit(.debug, message, fields) }

    private func emit(_ level: Level, _ message: StaticString, _ extra: KeyValuePairs<String, Value>, _ place: Place? = nil) {
        if let tap, level >= .notice {
            var all = fields.map { Entry.Field(name: $0.key, value: $0.value.plain) }
            for (key, value) in extra { all.append(Entry.Field(name: key, value: value.plain)) }
            tap(Entry(unixMs: unixMilliseconds(), level: level, part: subsystem, message: "\(message)", fields: all, place: place))
        }
        guard level >= threshold else { return }
        var line = "{\"time\":\"\(Log.timestamp(unixMs: unixMilliseconds()))\",\"level\":\"\(level)\",\"part\":\(Log.quoted(subsystem))"
        line += ",\"message\":\(Log.quoted("\(message)"))"
        for (key, value) in fields { line += ",\(Log.quoted(key)):\(value.json)" }
        for (key, value) in extra { line += ",\(Log.quoted(key)):\(value.json)" }
        write(line + "}")
    }

    /// One write per line, so that lines of several threads and processes do not mix (below PIPE_BUF).
    private static let writeToStandardError: @Sendable (String) -> Void = { line in
        let bytes = Array((line + "\n").utf8)
        bytes.withUnsafeBytes { buffer in
            // Losing a log line is right where standard error is closed or full: the work goes on.
            _ = Glibc.write(STDERR_FILENO, buffer.baseAddress, buffer.count)
        }
    }

    /// ISO 8601 in UTC with milliseconds.
    package static func timestamp(unixMs: Int64) -> String {
        var seconds = time_t(unixMs / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let day = "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let clock = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(day)T\(clock).\(padded(Int(unixMs % 1000), 3))Z"
    }

    /// A JSON string; hostile characters are escaped, so that no text can forge a line, steer a terminal or turn what stands behind it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.isHostile: result += String(scalar).escaped()
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension Log {
    /// The value of a field: a text, a number or a flag.
    package enum Value: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
        ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
    {
        case text(String), integer(Int), number(Double), flag(Bool)

        package init(stringLiteral value: String) { self = .text(value) }
        package init(integerLiteral value: Int) { self = .integer(value) }
        package init(floatLiteral value: Double) { self = .number(value) }
        package init(booleanLiteral value: Bool) { self = .flag(value) }

        /// As a person reads it.
        var plain: String {
            switch self {
            case .text(let text): text
            case .integer(let number): String(number)
            case .number(let number): String(number)
            case .flag(let flag): String(flag)
            }
        }

        var json: String {
            switch self {
            case .text(let text): Log.quoted(text)
            case .integer(let number): String(number)
            case .number(let number): number.isFinite ? String(number) : "null"
            case .flag(let flag): flag ? "true" : "false"
            }
        }
    }
}

extension Log {
    /// Where in the source something was logged: `API/Failures.swift`, line 50.
    package struct Place: Sendable, Hashable {
        package let file: String
        package let line: Int

        package init(file: String, line: Int) {
            self.file = file
            self.line = line
        }
    }

    /// An event as whoever hears of it gets it.
    package struct Entry: Sendable, Hashable {
        package struct Field: Sendable, Hashable {
            package let name: String
            package let value: String

            package init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        package let unixMs: Int64
        package let level: Level
        /// `control.api`.
        package let part: String
        package let message: String
        package let fields: [Field]
        /// Of errors.
        package let place: Place?

        package init(unixMs: Int64, level: Level, part: String, message: String, fields: [Field] = [], place: Place? = nil) {
            self.unixMs = unixMs
            self.level = level
            self.part = part
            self.message = message
            self.fields = fields
            self.place = place
        }
    }
}
