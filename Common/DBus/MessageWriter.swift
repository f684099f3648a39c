import CSystemd
import Glibc

/// Puts arguments into a message that is being made.
struct MessageWriter {
    let message: OpaquePointer

    func append(_ argument: MethodCall.Argument) throws(BusError) {
        switch argument {
        case .text(let text): try appendText(text, "s")
        case .path(let path): try appendText(path, "o")
        case .unsigned(let number): try append(number, "u")
        case .boolean(let flag): try append(CInt(flag ? 1 : 0), "b")
        case .properties(let properties):
            try within("a", "{sv}") { () throws(BusError) in
                // In one order, so that the same question has the same bytes.
                for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
                    try within("e", "sv") { () throws(BusError) in
                        try appendText(name, "s")
                        try within("v", value.signature) { () throws(BusError) in try append(value) }
                    }
                }
            }
        }
    }

    private func appendText(_ text: String, _ type: Unicode.Scalar) throws(BusError) {
        // C would cut it at the first zero.
        guard !text.utf8.contains(0) else { throw .system(function: "sd_bus_message_append_basic", code: Int(EINVAL)) }
        let code = text.withCString { sd_bus_message_append_basic(message, CChar(type.value), $0) }
        try check(code, "sd_bus_message_append_basic")
    }

    private func append<Value>(_ value: Value, _ type: Unicode.Scalar) throws(BusError) {
        let code = withUnsafePointer(to: value) { sd_bus_message_append_basic(message, CChar(type.value), $0) }
        try check(code, "sd_bus_message_append_basic")
    }

    private func within(_ type: Unicode.Scalar, _ contents: String, _ body: () throws(BusError) -> Void) throws(BusError) {
        try check(sd_bus_message_open_container(message, CChar(type.value), contents), "sd_bus_message_open_container")
        try body()
        try check(sd_bus_message_close_container(message), "sd_bus_message_close_container")
    }
}

extension MethodCall.Argument {
    fileprivate var signature: String {
        switch self {
        case .text: "s"
        case .path: "o"
        case .unsigned: "u"
        case .boolean: "b"
        case .properties: "a{sv}"
        }
    }
}
