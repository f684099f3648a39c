import Field
import FoundationEssentials
import Glibc
import Logging
import Outputs
import Posix
import Relay
import Service
import Wire

/// `strata-receiver --socket PATH`: one stream; what it carries it is told over the socket, and what it may do by these.
struct Arguments {
    static let usage = """
        usage: strata-receiver --socket PATH [--recordings FOLDER] [--allow NETWORK]... [--stream-ports FIRST-LAST]
                               [--control URL --authority TEXT [--proxy URL]] [--log trace|debug|info|notice|warning|error]
               strata-receiver listen FILE
               strata-receiver field \(ControlPlace.usage)
               strata-receiver test-destination [--allow NETWORK]... [--stream-ports FIRST-LAST]
        """

    var socket: String?
    var recordings: String?
    var allowed: [AddressRange] = []
    var streamPorts: ClosedRange<Int>?
    var level = Log.Level.notice
    /// Where control is, for outputs into its rooms; empty where there are none.
    var control: [String] = []
    var policy: OutputPolicy {
        let rooms = control.isEmpty ? nil : RoomEntrance(program: ProgramContext.executable, arguments: ["field"] + control)
        return OutputPolicy(allowing: allowed, streamPorts: streamPorts, rooms: rooms)
    }

    /// nil where they cannot be understood.
    init?(_ words: ArraySlice<String>) {
        var words = words
        while let name = words.popFirst() {
            guard let value = words.popFirst() else { return nil }
            switch name {
            case "--socket": socket = value
            case "--recordings": recordings = value
            case "--allow":
                guard let range = AddressRange(value) else { return nil }
                allowed.append(range)
            case "--stream-ports":
                let ports = value.split(separator: "-").compactMap { Int($0) }
                guard ports.count == 2, ports[0] <= ports[1] else { return nil }
                streamPorts = ports[0]...ports[1]
            case "--control", "--authority", "--proxy": control += [name, value]
            case "--log":
                guard let level = Log.Level(name: value) else { return nil }
                self.level = level
            default: return nil
            }
        }
    }
}

/// `listen FILE`: a bonded receiver by itself.
@Sendable func listen(_ configuration: ListenConfiguration, _ log: Log) async throws {
    let loop = try Loop(name: "main")
    let signals = try Signals(loop: loop)
    let program = RunningProgram(loop: loop, log: log, notify: nil)
    _ = try await program.start("listener", { try StandaloneListener(configuration, log: log) }, stop: { $0.stop() })
    await program.untilStopped(signals)
}

/// `test-destination`: tries the target that standard input names (`OutputTestOrder`), and writes what came of it (`OutputTestVerdict`).
@Sendable func testDestination(_ arguments: Arguments) async throws -> Bool {
    guard let input = readStandardInput(upTo: 16 << 10) else { return false }
    try OutputLibrary.forgetOthers()
    let order = try JSONDecoder().decode(OutputTestOrder.self, from: Data(input))
    let test = TargetTest(order.target, policy: arguments.policy, loop: try Loop(name: "test"))
    return writeStandardOutput(Array(try JSONEncoder().encode(await test.run())))
}

/// `field`: takes the stream that standard input brings into the room that its first line names (`RoomTarget`), and writes how it stands
/// (`FieldWord`).
@Sendable func takeIntoRoom(_ place: ControlPlace) async throws {
    let loop = try Loop(name: "field")
    let signals = try Signals(loop: loop)
    let publisher = FieldPublisher(place, loop: loop, log: Log("field")) { word in
        // Whoever does not read it any more is gone, and so is what is read from it.
        _ = writeStandardOutput(Array("\(word.line)\n".utf8))
    }
    let signalled = loop.spawn {
        for await signal in signals.events where signal == .stop { publisher.end() }
    }
    await loop.spawn { await publisher.run() }.value
    signalled.cancel()
}

/// Ends the program when all is said and done, without what libraries do then: libsrt's part of it may crash (`Destinations`).
func leave() -> Never {
    fflush(nil)
    _exit(0)
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "listen" {
    shareFreeMemory()
    let file = CommandLine.arguments[2]
    let log = Log("receiver", threshold: .notice)
    let configuration = Startup.configuration(file, for: log) { text, environment in
        try ListenConfiguration(text, source: file, environment: environment)
    }
    do {
        try await listen(configuration, log)
        leave()
    } catch {
        log.error("cannot start", ["error": "\(error)"])
        exit(1)
    }
}
if CommandLine.arguments.count > 1, CommandLine.arguments[1] == "test-destination" {
    guard let arguments = Arguments(CommandLine.arguments.dropFirst(2)) else {
        print(Arguments.usage)
        exit(64)
    }
    do {
        if try await testDestination(arguments) { leave() }
        exit(1)
    } catch {
        Log("receiver", threshold: arguments.level).error("a destination could not be tried", ["error": "\(error)"])
        exit(1)
    }
}
if CommandLine.arguments.count > 1, CommandLine.arguments[1] == "field" {
    shareFreeMemory()
    guard let place = ControlPlace(CommandLine.arguments.dropFirst(2)) else {
        print(Arguments.usage)
        exit(64)
    }
    do {
        try await takeIntoRoom(place)
        leave()
    } catch {
        Log("field").error("cannot start", ["error": "\(error)"])
        exit(1)
    }
}
guard let arguments = Arguments(CommandLine.arguments.dropFirst()), let path = arguments.socket else {
    print(Arguments.usage)
    exit(64)
}
shareFreeMemory()
// What its outputs are given at once is smaller; what is larger comes and goes seldom.
releaseAtOnce(from: 128 * 1024)
let log = Log("receiver", threshold: arguments.level)
do {
    try OutputLibrary.forgetOthers()
    let loop = try Loop(name: "receiver")
    let signals = try Signals(loop: loop)
    let folder = try arguments.recordings.map { try RecordingFolder(path: $0) }
    // Beside this program; without it there are no thumbnails, and nothing else is missing. That there is no slate is told with the stream.
    let programs = ProgramContext.executable.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    let (still, slate) = ("\(programs)/strata-still", "\(programs)/strata-slate")
    let hasStill = access(still, X_OK) == 0
    if !hasStill { log.warning("strata-still is not beside this program: there are no thumbnails", ["path": .text(still)]) }
    let service = try ReceiverService(
        path: path, folder: folder, takes: arguments.recordings, policy: arguments.policy, still: hasStill ? still : nil, slate: slate,
        loop: loop, log: log)
    let signalled = loop.spawn {
        for await signal in signals.events where signal == .stop { await service.end() }
    }
    await loop.spawn { await service.run() }.value
    signalled.cancel()
    leave()
} catch {
    log.error("cannot start", ["error": "\(error)"])
    exit(1)
}
