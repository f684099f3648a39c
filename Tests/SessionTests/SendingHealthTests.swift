import Posix
import Service
import Testing
import Wire

@testable import Capture
@testable import Session

@Suite struct SendingHealthTests {
    private let fault = CaptureFault(step: .running, element: "camera (v4l2src)", reason: "gone")

    private func state(_ health: SendingHealth) throws -> SendingReport.State { health.report(try plan()).state }

    @Test("it sends once media flows and a link answers, and says what it lacks")
    func flow() throws {
        var health = SendingHealth()
        #expect(try state(health) == .preflight)
        health.note(.flowing)
        #expect(try state(health) == .degraded)
        health.note(.live(link: "wwan0", receiver: "192.0.2.1:5000"))
        #expect(try state(health) == .sending)
        health.note(.degraded("no sound"))
        #expect(health.report(try plan()).reason == "no sound")
        health.note(.restored)
        #expect(try state(health) == .sending)
    }

    @Test("a link that reaches no address is named until it does")
    func links() throws {
        var health = SendingHealth()
        health.note(.flowing)
        health.note(.live(link: "eth0", receiver: "a"))
        health.note(.unreachable(link: "wwan1", reason: "no address answered"))
        #expect(try state(health) == .degraded)
        #expect(health.report(try plan()).reason == "wwan1: no address answered")
        health.note(.live(link: "wwan1", receiver: "a"))
        #expect(try state(health) == .sending)
        health.note(.silent(link: "wwan1", reason: "nothing came"))
        #expect(try state(health) == .sending)
        health.note(.removed(link: "eth0"))
        #expect(try state(health) == .degraded)
    }

    @Test("where no link says why, the addresses that were tried are named, a few of many")
    func receivers() throws {
        let health = SendingHealth()
        let many = (["2001:db8::1", "nope.invalid"] + (3...9).map { "192.0.2.\($0)" }).map { Endpoint(host: $0, port: 5000) }
        let reason = health.linkReason(many)
        #expect(reason.hasSuffix(" at [2001:db8::1]:5000, nope.invalid:5000, 192.0.2.3:5000, 192.0.2.4:5000 and 5 more"), "\(reason)")
    }

    @Test("what is in the way on a link is said in place of that nobody answers, and not while it is live")
    func obstacles() throws {
        var health = SendingHealth()
        health.note(.flowing)
        health.note(obstacles: ["wlan0": "a sign-in page"])
        #expect(health.linkReason([]) == "wlan0: a sign-in page" && health.obstacle(on: "wlan0") == "a sign-in page")
        health.note(.live(link: "eth0", receiver: "a"))
        #expect(try state(health) == .sending, "a link that was never tried degrades nothing")
        health.note(.unreachable(link: "wlan0", reason: "no address answered"))
        #expect(health.report(try plan()).reason == "wlan0: a sign-in page")
        health.note(.live(link: "wlan0", receiver: "a"))
        #expect(try state(health) == .sending && health.obstacle(on: "wlan0") == nil)
    }

    @Test("a capture that fails is recovering, and failed once its budget is used up, until it flows again")
    func recovery() throws {
        var health = SendingHealth()
        var budget = RestartBudget(limit: 2)
        health.note(.flowing)
        health.note(.live(link: "eth0", receiver: "a"))
        health.note(.failed(fault))
        #expect(try state(health) == .recovering)
        var states: [SendingReport.State] = []
        for second in 0..<4 {
            let now = Instant(nanoseconds: Int64(second) * 1_000_000_000)
            _ = budget.ended(at: now, jitter: 0)
            health.restarting("gone", budget: budget.state(at: now))
            states.append(try state(health))
        }
        #expect(states == [.recovering, .recovering, .failed, .failed])
        #expect(health.restartsTotal == 4)
        health.note(.flowing)
        #expect(try state(health) == .sending)
    }

    @Test("frames that are not made degrade it, beside what else is wrong, until they are or the capture is another one")
    func lag() throws {
        var health = SendingHealth()
        health.note(.flowing)
        health.note(.live(link: "eth0", receiver: "a"))
        let lag = FramePace.Lag(cause: .encoder, made: 15, asked: 60)
        health.note(lag)
        #expect(try state(health) == .degraded)
        #expect(health.report(try plan()).reason == "the encoder makes 15 of 60 frames a second: choose a smaller size or frame rate")
        health.note(.degraded("no sound"))
        health.note(.silent(link: "eth0", reason: "nothing came"))
        let silence = health.linkReason(try plan().transport.receivers)
        #expect(health.report(try plan()).reason == "no sound; \(lag); \(silence)")
        health.note(.restored)
        health.note(.live(link: "eth0", receiver: "a"))
        #expect(!health.lacksPart, "no input that comes back would help")
        health.note(.flowing)
        #expect(try state(health) == .sending)
        health.note(lag)
        health.note(nil as FramePace.Lag?)
        #expect(try state(health) == .sending)
    }

    @Test("figures of an interval go over captures that follow each other")
    func meter() {
        var meter = Meter()
        var figures = CaptureFigures()
        func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
        _ = meter.read(figures, at: at(0), restarts: 0, dropped: 0, pace: FramePace(), watch: MediaWatch())
        figures.producedBytesTotal = 125_000
        figures.framesTotal = 30
        figures.droppedFramesTotal = 2
        #expect(meter.read(figures, at: at(1), restarts: 0, dropped: 0, pace: FramePace(), watch: MediaWatch()).produced == .kilobits(1000))
        meter.carry(figures)
        figures = CaptureFigures()
        figures.producedBytesTotal = 250_000
        figures.framesTotal = 10
        figures.droppedFramesTotal = 5
        let next = meter.read(figures, at: at(2), restarts: 1, dropped: 3, pace: FramePace(), watch: MediaWatch())
        #expect(next.produced == .kilobits(2000))
        #expect(next.framesTotal == 40)
        #expect(next.droppedPackets == 3)
        #expect(next.frames?.dropped == 7)
    }
}
