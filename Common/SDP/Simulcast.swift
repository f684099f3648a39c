/// One layer of a simulcast. Source: RFC 8851 section 4.
package struct LayerName: Hashable, Sendable {
    package enum Direction: String, Hashable, Sendable {
        case send
        case receive = "recv"
    }

    /// Letters, digits, `-` and `_`, at most 16.
    package var id: String
    package var direction: Direction
    /// As they stand behind the direction: payload types and limits.
    package var restrictions: String?

    package init(id: String, direction: Direction, restrictions: String? = nil) {
        self.id = id
        self.direction = direction
        self.restrictions = restrictions
    }

    init?(_ words: Words) {
        var words = words
        guard let id = words.word(), Self.isID(id), let name = words.word(), let direction = Direction(rawValue: name) else {
            return nil
        }
        let rest = words.rest()
        self.init(id: id, direction: direction, restrictions: rest.isEmpty ? nil : rest)
    }

    var text: String { "\(id) \(direction.rawValue)" + (restrictions.map { " \($0)" } ?? "") }

    static func isID(_ text: some StringProtocol) -> Bool {
        1...16 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x2d, 0x30...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a: true
                default: false
                }
            }
    }
}

/// The streams of a simulcast, from the best to the least in browsers' practice. Source: RFC 8853 section 5.1.
package struct Simulcast: Hashable, Sendable {
    package struct Layer: Hashable, Sendable {
        package var id: String
        /// `~`: it is not sent for now.
        package var isPaused: Bool

        package init(id: String, isPaused: Bool = false) {
            self.id = id
            self.isPaused = isPaused
        }
    }

    /// Each with its alternatives, of which one is sent.
    package var send: [[Layer]]
    package var receive: [[Layer]]

    package init(send: [[Layer]] = [], receive: [[Layer]] = []) {
        self.send = send
        self.receive = receive
    }

    /// nil unless there is one list or one for each direction, each layer named well.
    init?(_ words: Words) {
        var words = words
        self.init()
        while let direction = words.word() {
            guard let list = words.word(), let streams = Self.streams(list) else { return nil }
            switch direction {
            case "send" where send.isEmpty: send = streams
            case "recv" where receive.isEmpty: receive = streams
            default: return nil
            }
        }
        if send.isEmpty && receive.isEmpty { return nil }
    }

    private static func streams(_ text: String) -> [[Layer]]? {
        var streams: [[Layer]] = []
        for stream in parts(text, ";") {
            var layers: [Layer] = []
            for layer in parts(stream, ",") {
                let isPaused = layer.hasPrefix("~")
                let id = isPaused ? String(layer.dropFirst()) : layer
                guard LayerName.isID(id) else { return nil }
                layers.append(Layer(id: id, isPaused: isPaused))
            }
            streams.append(layers)
        }
        return streams
    }

    var text: String {
        func list(_ streams: [[Layer]]) -> String {
            streams.map { $0.map { ($0.isPaused ? "~" : "") + $0.id }.joined(separator: ",") }.joined(separator: ";")
        }
        var words: [String] = []
        if !send.isEmpty { words.append("send " + list(send)) }
        if !receive.isEmpty { words.append("recv " + list(receive)) }
        return words.joined(separator: " ")
    }
}
