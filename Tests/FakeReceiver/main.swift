// A receiver without media: speaks the socket's protocol, holds the UDP port and reports, as strata-receiver does.
// A file beside it, of the name that it is started by and `.fault`, names the one way in which it fails; see `Fault`.
import Foundation
import Logging
import Posix
import Service
import Units
import Wire

enum Fault: String {
    case none
    /// Ends with code 3 at once.
    case dies
    /// Runs, and never listens.
    case silent
    /// Takes the connection, and never answers.
    case mute
    /// Refuses to open.
    case refuses
    /// Kills itself as soon as it listens.
    case crashes
    /// Ends by SIGKILL only.
    case stubborn
    /// As receivers were before outputs could be moved: the id of one that is there is nothing to do.
    case old
    /// Sends lines that are no messages among the others.
    case babbles
    /// Media comes with its first report, and none after it.
    case dark
    /// Sends pictures: too large a one, then some at once in another stream's name.
    case pictures
}

func value(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    return arguments.firstIndex(of: name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
}

struct FakeReceiver {
    let child: ChildSocket
    let fault: Fault
    var start: ReceiverStart?
    var port: UDPSocket?
    let began = Instant.now
    var reports = 0

    func send(_ message: ReceiverMessage) throws { child.send(Array(try JSONEncoder().encode(message))) }

    /// - Returns: false when it shall end.
    mutating func hear(_ line: [UInt8]) throws -> Bool {
        let command = try JSONDecoder().decode(Command<ReceiverOrder>.self, from: Data(line))
        if fault == .mute { return true }
        if fault == .babbles {
            child.send(Array("{".utf8))
            child.send([0xff, 0xfe])
            child.send(Array("{\"type\":\"report\",\"body\":{}}".utf8))
            child.send(Array("{\"type\":\"news\"}".utf8))
        }
        switch command.order {
        case .open(let start): try open(start, command.id)
        case .describe: try send(.described(ReceiverDescription(start: start)))
        case .addOutput(let change):
            if case .file(let target) = change.output.target, target.name == "bad" {
                try send(.outcome(CommandOutcome(id: command.id, result: .refused, reason: "a bad name")))
            } else {
                let isThere = start?.spec.outputs.contains { $0.id == change.output.id } == true
                if fault != .old { start?.spec.outputs.removeAll { $0.id == change.output.id } }
                if fault != .old || !isThere { start?.spec.outputs.append(change.output) }
                try send(.outcome(CommandOutcome(id: command.id, result: .done)))
                try report()
            }
        case .removeOutput(let reference):
            start?.spec.outputs.removeAll { $0.id == reference.output }
            try send(.outcome(CommandOutcome(id: command.id, result: .done)))
        case .retryOutput: try send(.outcome(CommandOutcome(id: command.id, result: .done)))
        case .stop:
            if fault == .stubborn { return true }
            try send(.ended(EndReport(reason: "stopped")))
            return false
        case .unknown: break
        }
        return true
    }

    private mutating func open(_ start: ReceiverStart, _ id: CommandID) throws {
        if fault == .refuses { return try send(.outcome(CommandOutcome(id: id, result: .failed, reason: "no codec today"))) }
        port = try UDPSocket(binding: SocketAddress(start.bind[0], port: start.port)!)
        self.start = start
        try send(.listening(LeaseReference(lease: start.spec.lease)))
        if fault == .pictures {
            let foreign: LeaseID = LeaseID("01EASE00000000000000000000")!
            for text in [String(repeating: "A", count: 40_000), "first", "second", "third"] {
                try send(.thumbnail(StreamThumbnail(lease: foreign, broadcast: start.spec.broadcast, ageMs: -5, base64: text)))
            }
        }
        if fault == .crashes { kill(getpid(), SIGKILL) }
        try report()
    }

    /// An output to a file whose name begins with `down` does not connect, one with `brief` holds for some seconds; the name is the reason.
    private func isConnected(_ name: String) -> Bool {
        !name.hasPrefix("down") && (!name.hasPrefix("brief") || Instant.now - began < .seconds(3))
    }

    mutating func report() throws {
        guard let start else { return }
        reports += 1
        let ingest = IngestReport(
            state: fault == .dark && reports > 1 ? .interrupted : .flowing, bitrate: .kilobits(2500), keyFramesTotal: 1,
            lostPacketsTotal: 0, recoveredPacketsTotal: 0, guardDroppedTotal: 0, video: .h264, width: 1280, height: 720, paths: [])
        let outputs = start.spec.outputs.map { output in
            let name = if case .file(let file) = output.target { file.name } else { "" }
            return OutputReport(
                id: output.id, state: isConnected(name) ? .connected : .retrying, reason: fault == .old ? name : nil, sentBytesTotal: 1,
                droppedUnitsTotal: 0, reconnectsTotal: 0)
        }
        try send(
            .report(
                StreamReport(
                    lease: start.spec.lease, broadcast: start.spec.broadcast, port: start.port, pid: Int(getpid()), uptimeSeconds: 0,
                    ingest: ingest, outputs: outputs, restarts: 0)))
    }
}

// try?: without the file there is no fault.
let told = try? String(contentsOfFile: CommandLine.arguments[0] + ".fault", encoding: .utf8)
let fault = Fault(rawValue: told ?? "none") ?? .none
if fault == .dies { exit(3) }
if fault == .stubborn { signal(SIGTERM, SIG_IGN) }
let loop = try Loop(name: "fake")
if fault == .silent { try await loop.sleep(for: .seconds(60)) }
let child = try ChildSocket(
    path: value("--socket")!, loop: loop, orphanAfter: .milliseconds(Int(value("--orphan-ms") ?? "20000")!),
    log: Log("fake", threshold: .error))
var receiver = FakeReceiver(child: child, fault: fault)
Task {
    // As the real one does, each second.
    while (try? await Task.sleep(for: .seconds(1))) != nil { try? receiver.report() }
}
for await event in child.events {
    if case .orphaned = event { break }
    if case .line(let line) = event, try !receiver.hear(line) { break }
}
child.close()
loop.stop()
