import CSystemd
import Glibc

/// What is read of a message at most; sd-bus has validated its bytes, and itself bounds only depth (128) and size (128 MiB).
struct ReadingLimits {
    var depth = 12
    /// Of one list or dictionary; those behind are passed over.
    var entries = 256
    var values = 65_536
    var textBytes = 1 << 20
}

/// Reads a received message into values.
struct MessageReader {
    private let message: OpaquePointer
    private let limits: ReadingLimits
    private var values = 0
    private var textBytes = 0
    private(set) var isCut = false

    init(_ message: OpaquePointer, limits: ReadingLimits = ReadingLimits()) {
        self.message = message
        self.limits = limits
    }

    /// Its arguments.
    mutating func all() throws(BusError) -> [BusValue] {
        var result: [BusValue] = []
        while let value = try next(depth: 0) { result.append(value) }
        return result
    }

    /// nil at the end of the container.
    private mutating func next(depth: Int) throws(BusError) -> BusValue? {
        var type: CChar = 0
        var contents: UnsafePointer<CChar>?
        guard try check(sd_bus_message_peek_type(message, &type, &contents), "sd_bus_message_peek_type") > 0 else { return nil }
        values += 1
        guard values <= limits.values, depth < limits.depth else { throw .tooLarge }
        switch UInt8(bitPattern: type) {
        case UInt8(ascii: "a"):
            guard let contents else { throw .system(function: "sd_bus_message_peek_type", code: Int(EBADMSG)) }
            return try array(of: contents, depth)
        case UInt8(ascii: "r"): return .list(try items(type, contents, depth))
        case UInt8(ascii: "v"): return try items(type, contents, depth).first
        default: return try basic(type)
        }
    }

    private mutating func array(of contents: UnsafePointer<CChar>, _ depth: Int) throws(BusError) -> BusValue {
        switch UInt8(bitPattern: contents[0]) {
        case UInt8(ascii: "y"): return .bytes(try bytes())
        case UInt8(ascii: "{"):
            var entries: [BusValue: BusValue] = [:]
            try each(CChar(bitPattern: UInt8(ascii: "a")), contents) { reader throws(BusError) in
                var type: CChar = 0
                var pair: UnsafePointer<CChar>?
                guard try check(sd_bus_message_peek_type(reader.message, &type, &pair), "sd_bus_message_peek_type") > 0 else {
                    return false
                }
                let parts = try reader.items(type, pair, depth + 1)
                if parts.count == 2 { entries[parts[0]] = parts[1] }
                return true
            }
            return .table(entries)
        default: return .list(try items(CChar(bitPattern: UInt8(ascii: "a")), contents, depth))
        }
    }

    private mutating func items(_ type: CChar, _ contents: UnsafePointer<CChar>?, _ depth: Int) throws(BusError) -> [BusValue] {
        var items: [BusValue] = []
        try each(type, contents) { reader throws(BusError) in
            guard let item = try reader.next(depth: depth + 1) else { return false }
            items.append(item)
            return true
        }
        return items
    }

    /// Enters a container, takes its entries up to the limit, passes over the rest and leaves it.
    private mutating func each(
        _ type: CChar, _ contents: UnsafePointer<CChar>?, _ take: (inout MessageReader) throws(BusError) -> Bool
    ) throws(BusError) {
        try check(sd_bus_message_enter_container(message, type, contents), "sd_bus_message_enter_container")
        var count = 0
        while count < limits.entries, try take(&self) { count += 1 }
        while count == limits.entries, try check(sd_bus_message_at_end(message, 0), "sd_bus_message_at_end") == 0 {
            isCut = true
            // nil is one entry of whatever type.
            try check(sd_bus_message_skip(message, nil), "sd_bus_message_skip")
        }
        try check(sd_bus_message_exit_container(message), "sd_bus_message_exit_container")
    }

    private mutating func bytes() throws(BusError) -> [UInt8] {
        var start: UnsafeRawPointer?
        var count = 0
        try check(sd_bus_message_read_array(message, CChar(bitPattern: UInt8(ascii: "y")), &start, &count), "sd_bus_message_read_array")
        try spend(count)
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    private mutating func spend(_ bytes: Int) throws(BusError) {
        textBytes += bytes
        guard textBytes <= limits.textBytes else { throw .tooLarge }
    }

    private func read<Value>(_ type: CChar, into value: Value) throws(BusError) -> Value {
        var value = value
        let code = withUnsafeMutablePointer(to: &value) { sd_bus_message_read_basic(message, type, $0) }
        try check(code, "sd_bus_message_read_basic")
        return value
    }

    private mutating func basic(_ type: CChar) throws(BusError) -> BusValue {
        switch UInt8(bitPattern: type) {
        case UInt8(ascii: "b"): return .boolean(try read(type, into: CInt(0)) != 0)
        case UInt8(ascii: "y"): return .integer(Int(try read(type, into: UInt8(0))))
        case UInt8(ascii: "n"): return .integer(Int(try read(type, into: Int16(0))))
        case UInt8(ascii: "q"): return .integer(Int(try read(type, into: UInt16(0))))
        case UInt8(ascii: "i"): return .integer(Int(try read(type, into: Int32(0))))
        case UInt8(ascii: "u"): return .integer(Int(try read(type, into: UInt32(0))))
        case UInt8(ascii: "x"): return .integer(Int(try read(type, into: Int64(0))))
        case UInt8(ascii: "t"): return .integer(Int(clamping: try read(type, into: UInt64(0))))
        case UInt8(ascii: "d"): return .number(try read(type, into: Double(0)))
        case UInt8(ascii: "s"), UInt8(ascii: "g"): return .text(try text(type))
        case UInt8(ascii: "o"): return .path(try text(type))
        default: throw .system(function: "sd_bus_message_peek_type", code: Int(EBADMSG))  // Descriptors, which we do not negotiate.
        }
    }

    private mutating func text(_ type: CChar) throws(BusError) -> String {
        guard let start = try read(type, into: UnsafePointer<CChar>?.none) else { return "" }
        try spend(strlen(start))
        return String(cString: start)
    }
}

/// - Returns: what sd-bus returned, where that is no error.
@discardableResult
func check(_ code: CInt, _ function: String) throws(BusError) -> CInt {
    guard code >= 0 else { throw .system(function: function, code: Int(-code)) }
    return code
}
