import Glibc
import Logging
import Outputs
import Posix
import Relay
import Service

/// `strata-receiver --socket PATH [--recordings FOLDER] [--log LEVEL]`: one stream; what it carries it is told over the socket.
struct Arguments {
    var socket: String?
    var recordings: String?
    var level = Log.Level.notice

    /// nil where they cannot be understood.
    init?(_ words: ArraySlice<String>) {
        var words = words
        while let name = words.popFirst() {
            guard let value = words.popFirst() else { return nil }
            switch name {
            case "--socket": socket = value
            case "--recordings": recordings = value
            case "--log":
                guard let level = Log.Level(name: value) else { return nil }
                self.level = level
            default: return nil
            }
        }
    }
}

guard let arguments = Arguments(CommandLine.arguments.dropFirst()), let path = arguments.socket else {
    print("usage: strata-receiver --socket PATH [--recordings FOLDER] [--log trace|debug|info|notice|warning|error]")
    exit(64)
}
let log = Log("receiver", threshold: arguments.level)
do {
    let loop = try Loop(name: "receiver")
    let signals = try Signals(loop: loop)
    let folder = try arguments.recordings.map { try RecordingFolder(path: $0) }
    let service = try ReceiverService(path: path, folder: folder, loop: loop, log: log)
    let signalled = loop.spawn {
        for await signal in signals.events where signal == .stop { await service.end() }
    }
    await loop.spawn { await service.run() }.value
    signalled.cancel()
} catch {
    log.error("cannot start", ["error": "\(error)"])
    exit(1)
}
