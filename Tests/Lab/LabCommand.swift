import CLab
import Foundation
import Glibc
import Posix

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
            case "source": try source(Array(arguments.dropFirst()))
            case "sink": try sink(Array(arguments.dropFirst()))
            case "flood": try flood(Array(arguments.dropFirst()))
            case "trace": try traces(Array(arguments.dropFirst()))
            case "allowed": return NetworkNamespace.areAllowed ? 0 : 1
            case "bond":
                guard let command = BondCommand(Array(arguments.dropFirst())) else {
                    complain("usage: strata-lab \(BondCommand.usage)")
                    return 2
                }
                return try command.run()
            case "sweep": try NetworkNamespace.sweep()
            default:
                complain(
                    """
                    usage: strata-lab network [--network S] SHAPE... | relay LISTEN TARGET FIRST-LAST SHAPE ... | allowed | sweep | bond ...
                           | source ADDRESS:PORT BITS-PER-SECOND [--follow ADDRESS:PORT | --coded ADDRESS:PORT] [--ceiling BITS-PER-SECOND] [--frames N]
                           | sink ADDRESS:PORT | flood ADDRESS:PORT PER-SECOND [HEX[:LENGTH]]...
                           | trace SEED LINKS SECONDS POOLED-KBIT fair|rough FOLDER
                    """)
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
        var input = LabInput()
        let network = try FieldNetwork(links: shapes, seed: UInt64(getpid()), preferred: preferred)
        defer { network.remove() }
        let links = shapes.indices
        try say(
            NetworkReady(
                namespace: network.field.name, cloud: network.cloudAddress, interfaces: links.map(network.interface),
                addresses: links.map(network.fieldAddress)))
        try obey(&input, network.emulator, names: links.map(network.interface))
    }

    private struct RelayReady: Encodable {
        let relays: [String]
    }

    private func relay(_ arguments: [String]) throws {
        var input = LabInput()
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
        try obey(&input, emulator, names: names)
    }

    private struct TracedLink: Encodable {
        let traceFile: String
        let delayMs: Double
        let jitterMs: Double
        let queueMs: Double
        let loss: Double
    }

    /// Writes the traces of a set of links into a folder and says what shapes they make.
    private func traces(_ arguments: [String]) throws {
        guard arguments.count == 6, let seed = UInt64(arguments[0]), let links = Int(arguments[1]), (1...16).contains(links),
            let seconds = Int(arguments[2]), (1...3600).contains(seconds), let pooled = Double(arguments[3]), pooled > 0,
            let weather = CellularTrace.Weather(rawValue: arguments[4])
        else { throw LabFault(text: "trace SEED LINKS SECONDS POOLED-KBIT fair|rough FOLDER") }
        let set = CellularTrace.set(seed: seed, links: links, seconds: seconds, pooledKbit: pooled, weather: weather)
        try say(
            set.enumerated().map { number, trace in
                let path = "\(arguments[5])/link\(number)"
                try Data(trace.file.utf8).write(to: URL(fileURLWithPath: path))
                return TracedLink(
                    traceFile: path, delayMs: trace.delayMs, jitterMs: trace.jitterMs, queueMs: trace.queueMs, loss: trace.loss)
            })
    }

    // MARK: Streams to measure with

    private func source(_ arguments: [String]) throws {
        guard arguments.count >= 2, arguments.count % 2 == 0, let rate = Double(arguments[1]), rate >= 0 else {
            let rates = "[--follow ADDRESS:PORT | --coded ADDRESS:PORT] [--ceiling BITS-PER-SECOND] [--frames N]"
            throw LabFault(text: "source ADDRESS:PORT BITS-PER-SECOND \(rates)")
        }
        var options = StreamSource.Options(target: try endpoint(arguments[0]), rate: rate)
        for index in stride(from: 2, to: arguments.count, by: 2) {
            let (name, text) = (arguments[index], arguments[index + 1])
            switch (name, Double(text)) {
            case ("--follow", _): options.follow = try endpoint(text)
            case ("--coded", _): options.coded = try endpoint(text)
            case ("--ceiling", let ceiling?) where ceiling > 0: options.ceiling = ceiling
            case ("--frames", let frames?) where frames >= 0: options.frames = frames
            default: throw LabFault(text: "no option '\(name) \(text)'")
            }
        }
        var input = LabInput()
        var source = StreamSource(options)
        try say(source.run(&input))
    }

    /// `figures FROM TO` gives what came of the packets made between two times of the monotonic clock, `figures FROM TO LATE` also
    /// how many took more than that; `figures` is of all.
    private func sink(_ arguments: [String]) throws {
        guard let address = arguments.first else { throw LabFault(text: "sink ADDRESS:PORT") }
        var input = LabInput()
        let socket = try UDPSocket(binding: try endpoint(address))
        forceBuffer(socket.descriptor)
        let batch = DatagramBatch(capacity: 64)
        var record = StreamRecord()
        _ = clab_real_time()
        try say(Answer())
        while true {
            switch input.next(beside: socket.descriptor) {
            case .readable:
                let count = try socket.receive(batch)
                let now = Instant.now.nanoseconds
                for index in 0..<count { record.take(batch[index], at: now) }
            case .line(let line):
                let words = line.split(separator: " ")
                let numbers = words.dropFirst().compactMap { Int64($0) }
                guard words.first == "figures", numbers.count == words.count - 1, [0, 2, 3].contains(numbers.count),
                    numbers.isEmpty || numbers[0] <= numbers[1]
                else {
                    try say(Answer(error: "no command '\(line)'"))
                    continue
                }
                try say(
                    record.figures(numbers.isEmpty ? 0..<Int64.max : numbers[0]..<numbers[1], late: numbers.count > 2 ? numbers[2] : .max))
            case .end, .timeout: return
            }
        }
    }

    /// 16 MB: whatever is lost must not be lost here.
    private func forceBuffer(_ descriptor: CInt) {
        var size: CInt = 16 << 20
        // Where it is not allowed the buffer stays as it is.
        _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<CInt>.size))
    }

    private func flood(_ arguments: [String]) throws {
        let kinds = arguments.dropFirst(2).map(Flood.Kind.init)
        guard arguments.count >= 2, let rate = Double(arguments[1]), rate >= 0, !kinds.contains(where: { $0 == nil }) else {
            throw LabFault(text: "flood ADDRESS:PORT PER-SECOND [HEX[:LENGTH]]...")
        }
        var input = LabInput()
        try say(Flood(target: try endpoint(arguments[0]), perSecond: rate, kinds: kinds.compactMap(\.self)).run(&input))
    }

    private func endpoint(_ text: String) throws -> SocketAddress {
        let colon = text.lastIndex(of: ":")
        guard let colon, let port = Int(text[text.index(after: colon)...]), let address = SocketAddress(String(text[..<colon]), port: port)
        else {
            throw LabFault(text: "an endpoint is ADDRESS:PORT, not '\(text)'")
        }
        return address
    }

    // MARK: The conversation

    private struct State: Encodable {
        let links: [String: [String: LinkCount]]
        let latenessP999Ms: Double
        let isVoid: Bool
    }

    private struct Answer: Encodable {
        var error: String?
        /// When it was done, nanoseconds of the monotonic clock.
        var at: Int64?
    }

    private func obey(_ input: inout LabInput, _ emulator: LinkEmulator, names: [String]) throws {
        while let line = input.nextLine() {
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
                    let profile = try JSONDecoder().decode(LinkProfile.self, from: Data(words[3].utf8))
                    try say(Answer(at: emulator.change(words[1], direction, to: profile)))
                case "series":
                    let series = names.map { name in
                        (name, Dictionary(uniqueKeysWithValues: Direction.allCases.map { ($0.rawValue, emulator.series(name, $0)) }))
                    }
                    try say(Dictionary(uniqueKeysWithValues: series))
                case "reset":
                    emulator.resetLateness()
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
