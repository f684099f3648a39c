import CLab
import Foundation
import Glibc

/// The program `strata-lab`: sets up what its arguments say, then obeys lines on stdin until that ends or a signal comes.
package struct LabCommand {
    private let arguments: [String]

    package init(_ arguments: [String]) { self.arguments = arguments }

    /// - Returns: the exit code.
    package func run() -> CInt {
        do {
            switch arguments.first {
            case "network": try network(Array(arguments.dropFirst()))
            case "relay": try relay(Array(arguments.dropFirst()))
            case "allowed": return NetworkNamespace.areAllowed ? 0 : 1
            case "sweep": try NetworkNamespace.sweep()
            default:
                complain("usage: strata-lab network [--network S] SHAPE... | relay LISTEN TARGET FIRST-LAST SHAPE ... | allowed | sweep")
                return 2
            }
            return 0
        } catch {
            complain("\(error)")
            return 1
        }
    }

    private func complain(_ text: String) { FileHandle.standardError.write(Data("strata-lab: \(text)\n".utf8)) }

    /// A profile for both directions, or `up` and `down` apart.
    private func shape(_ text: String) throws -> LinkShape {
        let data = Data(text.utf8)
        if let shape = try? JSONDecoder().decode(LinkShape.self, from: data) { return shape }
        return LinkShape(try JSONDecoder().decode(LinkProfile.self, from: data))
    }

    // MARK: What can be set up

    private struct NetworkReady: Encodable {
        let namespace: String
        let cloud: String
        let interfaces: [String]
        let addresses: [String]
    }

    private func network(_ arguments: [String]) throws {
        var texts = arguments
        var preferred: Int?
        if texts.first == "--network", texts.count > 1 {
            preferred = Int(texts[1])
            texts.removeFirst(2)
        }
        let shapes = try texts.map(shape)
        let stop = StopSignals()
        let network = try FieldNetwork(links: shapes, seed: UInt64(getpid()), preferred: preferred)
        defer { network.remove() }
        let links = shapes.indices
        try say(
            NetworkReady(
                namespace: network.field.name, cloud: network.cloudAddress, interfaces: links.map(network.interface),
                addresses: links.map(network.fieldAddress)))
        try obey(stop, network.emulator, names: links.map(network.interface))
    }

    private struct RelayReady: Encodable {
        let relays: [String]
    }

    private func relay(_ arguments: [String]) throws {
        let stop = StopSignals()
        let emulator = try LinkEmulator()
        defer { emulator.stop() }
        var names: [String] = []
        for start in stride(from: 0, through: arguments.count - 4, by: 4) {
            let ports = arguments[start + 2].split(separator: "-").compactMap { Int($0) }
            guard ports.count == 2, ports[0] <= ports[1] else {
                throw LabFault(text: "ports are FIRST-LAST, not '\(arguments[start + 2])'")
            }
            names.append("relay\(start / 4)")
            try emulator.relay(
                names[start / 4], listen: arguments[start], target: arguments[start + 1], ports: ports[0]...ports[1],
                shape: shape(arguments[start + 3]), seed: UInt64(start + 1))
        }
        try say(RelayReady(relays: names))
        try obey(stop, emulator, names: names)
    }

    // MARK: The conversation

    private struct State: Encodable {
        let links: [String: [String: LinkCount]]
        let latenessP999Ms: Double
        let isVoid: Bool
    }

    private struct Answer: Encodable {
        var error: String?
    }

    private func obey(_ stop: StopSignals, _ emulator: LinkEmulator, names: [String]) throws {
        while let line = stop.nextLine() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            do {
                switch words.first {
                case "state":
                    let links = names.map { name in
                        (name, Dictionary(uniqueKeysWithValues: Direction.allCases.map { ($0.rawValue, emulator.count(name, $0)) }))
                    }
                    let lateness = emulator.lateness
                    try say(
                        State(
                            links: Dictionary(uniqueKeysWithValues: links), latenessP999Ms: lateness.percentile(99.9),
                            isVoid: lateness.isVoid))
                case "change":
                    guard words.count == 4, names.contains(words[1]) else { throw LabFault(text: "change LINK up|down|both JSON") }
                    let direction = Direction(rawValue: words[2])
                    guard direction != nil || words[2] == "both" else { throw LabFault(text: "no direction '\(words[2])'") }
                    emulator.change(words[1], direction, to: try JSONDecoder().decode(LinkProfile.self, from: Data(words[3].utf8)))
                    try say(Answer())
                default: throw LabFault(text: "no command '\(line)'")
                }
            } catch {
                try say(Answer(error: "\(error)"))
            }
        }
    }

    private func say(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        FileHandle.standardOutput.write(try encoder.encode(value) + [UInt8(ascii: "\n")])
    }
}

private struct LabFault: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// Lines of stdin, until it ends or SIGINT, SIGTERM or SIGHUP comes: then everything is taken down as at its end.
private struct StopSignals {
    private let signals: CInt

    /// Before any other thread starts, so that all of them block the signals.
    init() {
        signals = clab_stop_signals()
    }

    /// One `read` gives one line or less: a person or a script writes them one by one.
    func nextLine() -> String? {
        var bytes: [UInt8] = []
        while true {
            var waiting = [pollfd(fd: 0, events: Int16(POLLIN), revents: 0), pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
            if poll(&waiting, 2, -1) < 0 && errno != EINTR { return nil }
            if waiting[1].revents != 0 { return nil }
            guard waiting[0].revents != 0 else { continue }
            var byte: UInt8 = 0
            guard read(0, &byte, 1) == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
    }
}
