import HTTP
import Posix
import TLS

/// The opening of a WebSocket, both sides (RFC 6455 section 4, RFC 7692 section 7). No I/O.
enum WebSocketHandshake {
    struct Accepted {
        let response: [UInt8]
        let deflate: Bool
    }

    struct Refusal: Error {
        let response: Response
    }

    /// What a server answers.
    static func accept(_ head: RequestHead, deflate: Bool, subprotocol: String?) -> Result<Accepted, Refusal> {
        let headers = head.headers
        guard head.method == .get, head.version == .http11, headers.lists("websocket", in: "Upgrade"),
            headers.lists("upgrade", in: "Connection"), head.framing == .none || head.framing == .length(0)
        else {
            var response = Response.problem(.upgradeRequired, "this address is a WebSocket")
            response.headers.add("Upgrade", "websocket")
            return .failure(Refusal(response: response))
        }
        guard headers.all("Sec-WebSocket-Version") == ["13"] else {
            var response = Response.problem(.upgradeRequired, "only version 13 is spoken here")
            response.headers.add("Upgrade", "websocket")
            response.headers.add("Sec-WebSocket-Version", "13")
            return .failure(Refusal(response: response))
        }
        let keys = headers.all("Sec-WebSocket-Key")
        guard let key = keys.first, keys.count == 1, isKey(key) else {
            return .failure(Refusal(response: .problem(.badRequest, "a Sec-WebSocket-Key is 16 bytes in base64")))
        }
        let compresses = deflate && acceptsDeflate(headers.all("Sec-WebSocket-Extensions"))
        var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Accept: \(webSocketAccept(key: key))\r\n"
        if compresses { text += "Sec-WebSocket-Extensions: \(offer)\r\n" }
        if let subprotocol, headers.lists(subprotocol, in: "Sec-WebSocket-Protocol") {
            text += "Sec-WebSocket-Protocol: \(subprotocol)\r\n"
        }
        return .success(Accepted(response: Array((text + "\r\n").utf8), deflate: compresses))
    }

    /// 16 bytes in base64 are 22 characters and two `=`.
    private static func isKey(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        let isAlphabet = bytes.prefix(22).allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2b || byte == 0x2f
        }
        return bytes.count == 24 && isAlphabet && bytes.suffix(2).allSatisfy { $0 == UInt8(ascii: "=") }
    }

    /// What we offer as a client and answer as a server: no message depends on another (THREATS 20, and no memory for each).
    static let offer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// Whether one of the offers is one that our answer satisfies (RFC 7692 section 7.1).
    private static func acceptsDeflate(_ values: [String]) -> Bool {
        extensions(values).contains { name, parameters in
            guard name == "permessage-deflate", Set(parameters.map(\.name)).count == parameters.count else { return false }
            return parameters.allSatisfy { parameter in
                switch parameter.name {
                case "server_no_context_takeover", "client_no_context_takeover": parameter.value == nil
                // A hint that needs no answer; our inflater takes any window.
                case "client_max_window_bits": parameter.value.map(isWindow) ?? true
                // A window for us would have to stand in the answer too (section 7.1.2.1), and we always deflate with the whole one: such an
                // offer is passed over.
                default: false
                }
            }
        }
    }

    private static func isWindow(_ text: String) -> Bool { Int(text).map { (8...15).contains($0) } ?? false }

    /// What a client makes of the answer. Throws `WebSocketError.refused`.
    static func check(_ head: ResponseHead, key: String, offeredDeflate: Bool) throws -> Bool {
        guard head.status == .switchingProtocols else { throw WebSocketError.refused(status: head.status.code) }
        guard head.headers.lists("websocket", in: "Upgrade"), head.headers.lists("upgrade", in: "Connection"),
            head.headers.all("Sec-WebSocket-Accept") == [webSocketAccept(key: key)]
        else { throw WebSocketError.protocolViolation("an answer that does not fit the handshake") }
        let answered = extensions(head.headers.all("Sec-WebSocket-Extensions"))
        guard let only = answered.first else { return false }
        guard answered.count == 1, offeredDeflate, only.name == "permessage-deflate",
            only.parameters.contains(where: { $0.name == "server_no_context_takeover" }),
            only.parameters.allSatisfy({ parameter in
                switch parameter.name {
                case "server_no_context_takeover", "client_no_context_takeover": parameter.value == nil
                case "server_max_window_bits": parameter.value.map(isWindow) ?? false
                default: false
                }
            })
        else { throw WebSocketError.protocolViolation("an extension that was not offered") }
        return true
    }

    /// `name; parameter=value, ...` of all fields.
    private static func extensions(_ values: [String]) -> [(name: String, parameters: [(name: String, value: String?)])] {
        values.joined(separator: ",").split(separator: ",").compactMap { item in
            let parts = item.split(separator: ";").map { trim($0) }
            guard let name = parts.first, !name.isEmpty else { return nil }
            let parameters = parts.dropFirst().map { part -> (name: String, value: String?) in
                let pair = part.split(separator: "=", maxSplits: 1).map { trim($0) }
                guard pair.count == 2 else { return (part.lowercased(), nil) }
                let value = pair[1]
                let isQuoted = value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                return (pair[0].lowercased(), isQuoted ? String(value.dropFirst().dropLast()) : value)
            }
            return (name.lowercased(), Array(parameters))
        }
    }

    private static func trim(_ text: Substring) -> String {
        String(String(text.drop { $0 == " " || $0 == "\t" }).reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
    private static func trim(_ text: String) -> String { trim(text[...]) }
}
