import Testing
import Units
import Wire

@testable import Session

func id<Kind>(_ letter: Character) throws -> ID<Kind> { try #require(ID(String(repeating: "0", count: 25) + String(letter))) }

func plan(_ broadcast: Character = "1", revision: Int = 1, _ edit: (inout Plan) -> Void = { _ in }) throws -> Plan {
    var plan = Plan(
        broadcast: try id(broadcast), revision: revision, input: InputChoice(video: "test"),
        encoder: EncoderChoice(bitrate: .kilobits(2500)),
        transport: Transport(
            carrier: .bond, receivers: [Endpoint(host: "192.0.2.1", port: 5000)], streamKey: SecretOnWire(Secret("0123456789abcdef")),
            bufferMs: 1000))
    edit(&plan)
    return plan
}

@Suite struct PlanDecisionTests {
    private func decide(_ new: Plan, _ running: Plan?) -> PlanDecision {
        PlanDecision.decide(new, running: running, maximum: .kilobits(6000))
    }

    @Test("the first plan begins, the same revision is done, an older one and another broadcast are refused")
    func revisions() throws {
        #expect(try decide(plan(), nil) == .begin)
        #expect(try decide(plan(), plan()) == .already)
        guard case .refuse(let older) = try decide(plan(revision: 1), plan(revision: 2)) else { throw Unexpected() }
        #expect(older.step == .plan)
        guard case .refuse = try decide(plan("2", revision: 9), plan("1")) else { throw Unexpected() }
    }

    @Test("a higher revision touches only what differs")
    func changes() throws {
        func change(_ edit: (inout Plan) -> Void) throws -> PlanChange {
            guard case .change(let change) = try decide(plan("1", revision: 2, edit), plan()) else { throw Unexpected() }
            return change
        }
        let none = try change { _ in }
        #expect(!none.bitrate && !none.input && !none.encoder && !none.links && !none.transport)
        let bitrate = try change { $0.encoder.bitrate = .kilobits(1000) }
        #expect(bitrate.bitrate && !bitrate.encoder && !bitrate.input && !bitrate.transport)
        let size = try change {
            $0.encoder.bitrate = .kilobits(1000)
            $0.encoder.height = 480
        }
        #expect(size.encoder && !size.bitrate)
        #expect(try change { $0.input.audio = "alsa:x" }.input)
        let links = try change { $0.transport.links = ["wwan0"] }
        #expect(links.links && !links.transport)
        let receiver = try change { $0.transport.receivers = [Endpoint(host: "192.0.2.2", port: 5000)] }
        #expect(receiver.transport && !receiver.links)
    }

    @Test(
        "what no board should be asked for is refused with the field's name",
        arguments: [
            Excess("bitrate", { $0.encoder.bitrate = .kilobits(7000) }), Excess("bitrate", { $0.encoder.bitrate = .kilobits(1) }),
            Excess("width", { $0.encoder.width = 100_000 }), Excess("height", { $0.encoder.height = -2 }),
            Excess("even", { $0.encoder.width = 1281 }),
            Excess("frameRate", { $0.encoder.frameRate = 0 }), Excess("audioBitrate", { $0.encoder.audioBitrate = .kilobits(9999) }),
            Excess("receiver", { $0.transport.receivers = [] }), Excess("port", { $0.transport.receivers[0].port = 0 }),
            Excess("receiver", { $0.transport.receivers[0].host = "a ! filesink location=x" }),
            Excess("receiver", { $0.transport.receivers[0].host = "" }),
            Excess("bufferMs", { $0.transport.bufferMs = 0 }), Excess("link", { $0.transport.links = ["eth0/../x"] }),
            Excess("input", { $0.input.video = "/dev/video0" }), Excess("input", { $0.input.video = "file:../x" }),
            Excess("input", { $0.input.audio = "a\nb" }),
        ])
    func bounds(excess: Excess) throws {
        guard case .refuse(let fault) = try decide(plan("1", excess.edit), nil) else { throw Unexpected() }
        #expect(fault.step == .plan)
        #expect(excess.word == "bitrate" || fault.reason.contains(excess.word), "\(fault)")
    }
}

/// A plan that goes too far, and the word that the refusal has to say.
struct Excess: Sendable {
    let word: String
    let edit: @Sendable (inout Plan) -> Void

    init(_ word: String, _ edit: @escaping @Sendable (inout Plan) -> Void) {
        self.word = word
        self.edit = edit
    }
}

struct Unexpected: Error {}
