import Fleet
import HTTP
import Posix
import Store
import Units
import Web
import Wire

/// What somebody wants to know of a sender's links before a broadcast.
struct SpeedRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/api/v1/senders/{id}/speed-test", access: .user(.operateSenders),
                summary: "Measure what one link of a sender that sends nothing uploads, for five seconds and at most 64 MiB",
                body: "SpeedTestRequest", success: .one("SpeedTest"), problems: [.conflict, .busy, .tooMany], run: test),
            Route(
                method: .get, path: "/api/v1/devices/speed-test", access: .open, summary: "The WebSocket of an upload that is measured",
                success: .socket,
                run: { _ in .upgrade(options: DeviceDoor.speedSocket) { socket in await parts.devices.serveSpeedTest(socket) } }),
        ]
    }

    @Sendable private func test(_ call: Call) async throws -> Response {
        let (scope, request, id): (OrganizationScope, SpeedTestRequest, DeviceID) = (try call.scope(), try call.body(), try call.id())
        let device = try await parts.store.devices(in: scope).find(id)
        guard !device.isRevoked else { throw Problem(.notFound, "that sender was revoked") }
        guard let hello = await parts.fleet.hello(of: id) else { throw Problem(.busy, "the sender is offline") }
        guard hello.inventory.links.contains(where: { $0.name == request.link && $0.state == .up }) else {
            throw Problem(.conflict, "the sender has no link \(request.link.bounded(to: 64)) that is up")
        }
        guard await parts.broadcasts.current(of: id) == nil else {
            throw Problem(.conflict, "the sender has a broadcast: its links are not disturbed")
        }
        guard await !parts.broadcasts.isRehearsing(id) else {
            throw Problem(.conflict, "the sender is rehearsing: its links are not disturbed")
        }
        let ticket = try begin(id, scope.organization, request.link)
        let order = SpeedTestOrder(
            link: request.link, ticket: SecretOnWire(Secret(ticket)), seconds: SpeedDesk.seconds, bytes: SpeedDesk.bytes)
        let answer = await parts.fleet.order(.speedTest(order), to: id)
        let ending = parts.fleet.speed.end(id)
        let measured: SpeedDesk.Measured? = if case .measured(let measured) = ending { measured } else { nil }
        let result = SpeedTestView.of(answer, measured, link: request.link, at: Timestamp.now.text)
        await note(result, answer, id, scope)
        if ending == .forgotten { throw Problem(.notFound, "that sender was revoked") }
        if isTried(answer) {
            parts.fleet.speed.keep(result, of: id)
            await parts.fleet.publish(sender: id, in: scope.organization)
        }
        if let reason = result.reason {
            if case .unknown = answer { throw Problem(.busy, reason) }
            throw Problem(.conflict, reason)
        }
        return .value(result)
    }

    private func begin(_ sender: DeviceID, _ organization: OrganizationID, _ link: String) throws -> String {
        do throws(SpeedDesk.Refusal) {
            return try parts.fleet.speed.begin(sender, in: organization, link: link, at: .now)
        } catch .running {
            throw Problem(.conflict, "a speed test of this sender runs already")
        } catch .full {
            throw Problem(.busy, "as many speed tests run as may at once: try again in some seconds")
        } catch .often(let wait) {
            throw Problem(
                .tooMany,
                "\(SpeedDesk.hourlyLimit) speed tests an hour are all that there are; the next in \(wait.milliseconds / 60_000 + 1) min")
        }
    }

    /// Whether bytes may have flowed: what was only refused says nothing of the link.
    private func isTried(_ answer: Answer) -> Bool {
        if case .outcome(let outcome) = answer { outcome.result != .refused } else { true }
    }

    /// Who did it, and what became of it. It is done by then: where it cannot be written down, the program's log has it.
    private func note(_ result: SpeedTestView, _ answer: Answer, _ id: DeviceID, _ scope: OrganizationScope) async {
        let word = if case .outcome(let outcome) = answer { outcome.result.rawValue } else { "unknown" }
        do {
            try await parts.store.devices(in: scope).note(.speedTested, id, detail: "\(result.link): \(word)")
        } catch {
            parts.log.error(
                "what was done could not be written into the audit log",
                ["action": "\(AuditAction.speedTested)", "device": "\(id)", "author": "\(scope.author)", "error": "\(error)"])
        }
    }
}

extension SpeedTestView {
    /// What a test comes to: what the sender says of it, and what control measured.
    static func of(_ answer: Answer, _ measured: SpeedDesk.Measured?, link: String, at time: String) -> SpeedTestView {
        var result = SpeedTestView(link: link, at: time)
        switch answer {
        case .outcome(let outcome) where outcome.result == .done:
            (result.upload, result.rttMs) = (measured?.upload, measured?.rttMs)
            if measured == nil { result.reason = "too little came to say anything of the link" }
        case .outcome(let outcome):
            let isOld = outcome.reason?.contains("does not know the order") == true
            result.reason =
                isOld ? "this agent is too old for a speed test: update it" : outcome.reason ?? "the sender does not say why not"
        // Its answer got lost, as it may behind the upload itself; what came was measured here.
        case .unknown where measured != nil: (result.upload, result.rttMs) = (measured?.upload, measured?.rttMs)
        case .unknown: result.reason = "the sender did not answer in time"
        }
        return result
    }
}
