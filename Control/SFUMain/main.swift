import Glibc
import Logging
import Posix
import SFU
import Service

/// `strata-sfu --socket PATH --port PORT --bind ADDRESS... [--announce ADDRESS...] [--recordings PATH]`: one worker of rooms; who is in
/// them, and which are recorded, it is told over the socket.
struct Arguments {
    static let usage = """
        usage: strata-sfu --socket PATH --port PORT --bind ADDRESS... [--announce ADDRESS]...
                          [--recordings PATH] [--log trace|debug|info|notice|warning|error]
        """

    var socket = ""
    var port = 0
    var bind: [String] = []
    var announced: [String] = []
    /// The folder of all takes; without one nothing is recorded.
    var recordings: String?
    var level = Log.Level.notice

    /// nil where they cannot be understood.
    init?(_ words: ArraySlice<String>) {
        var words = words
        while let name = words.popFirst() {
            guard let value = words.popFirst() else { return nil }
            switch name {
            case "--socket": socket = value
            case "--port":
                guard let port = Int(value), (0...65_535).contains(port) else { return nil }
                self.port = port
            case "--bind": bind.append(value)
            case "--announce": announced.append(value)
            case "--recordings": recordings = value
            case "--log":
                guard let level = Log.Level(name: value) else { return nil }
                self.level = level
            default: return nil
            }
        }
        let addresses = (bind + announced).map { SocketAddress($0, port: port) }
        guard !socket.isEmpty, !bind.isEmpty, addresses.allSatisfy({ $0 != nil }) else { return nil }
    }
}

guard let arguments = Arguments(CommandLine.arguments.dropFirst()) else {
    print(Arguments.usage)
    exit(64)
}
let log = Log("sfu", threshold: arguments.level)
do {
    let loop = try Loop(name: "sfu")
    let signals = try Signals(loop: loop)
    let service = try await WorkerService.open(
        path: arguments.socket, port: arguments.port, bind: arguments.bind, announced: arguments.announced,
        recordings: arguments.recordings, loop: loop, log: log)
    let signalled = loop.spawn {
        for await signal in signals.events where signal == .stop { await service.end("terminated") }
    }
    await loop.spawn { await service.run() }.value
    signalled.cancel()
} catch {
    log.error("cannot start", ["error": "\(error)"])
    exit(1)
}
