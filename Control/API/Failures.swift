import Auth
import Blobs
import Broadcasts
import HTTP
import Store
import Units
import Web
import Wire

extension Gateway {
    /// What an error of a lower module is to a caller. What nobody expected is logged whole and told by its kind only.
    ///
    /// - Parameter route: by whose request the fields at fault are named.
    func response(to error: any Error, _ request: Request, of route: Route? = nil) -> Response {
        var problem = problem(for: error, request, route)
        if let route {
            problem = route.naming(problem) { name in
                parts.log.error("a fault names no field of its request", ["path": "\(route.path)", "field": "\(name)"])
            }
        }
        var response = Self.response(to: problem)
        if case .tooMany(let wait)? = error as? AuthError {
            response.headers.add("Retry-After", String(max(1, Int(wait.seconds.rounded(.up)))))
        }
        return response
    }

    private func problem(for error: any Error, _ request: Request, _ route: Route?) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as AuthError: Self.problem(error)
        case let failure as BroadcastDirector.Failure: Self.problem(failure)
        case let error as StoreError: Self.problem(error)
        case let error as BlobError: self.problem(error, request, route)
        case let fault as BodyFault: Self.problem(fault)
        default: unexpected(error, request, route)
        }
    }

    /// How the server is set up is its operator's to read, in the log.
    private func problem(_ error: BlobError, _ request: Request, _ route: Route?) -> Problem {
        switch error {
        case .diskFull: return Problem(.busy, error.description)
        case .quota: return Problem(.quota, error.description)
        case .tooLarge: return Problem(.tooLarge, error.description)
        case .noUpload: return Problem(.gone, error.description)
        case .beyondEnd: return Problem(.invalid, error.description)
        case .away, .refused:
            parts.log.error("the store of files did not do what it was asked", ["error": "\(error)"])
            return Problem(.busy, "files cannot be stored or read now; the server's log says why")
        case .damaged, .badParts: return unexpected(error, request, route)
        }
    }

    /// With the status that the fault has.
    static func problem(_ fault: BodyFault) -> Problem {
        switch fault {
        case .tooLarge: Problem(.tooLarge, fault.description)
        case .timedOut: Problem(.timedOut, fault.description)
        case .malformed(let fault) where fault.status == .headersTooLarge: Problem(.fieldsTooLarge, fault.reason)
        case .malformed(let fault): Problem(.malformed, fault.reason)
        case .disconnected: Problem(.malformed, fault.description)
        }
    }

    private func unexpected(_ error: any Error, _ request: Request, _ route: Route?) -> Problem {
        // A token in a path is nobody's to read.
        let path = route.flatMap { $0.path.contains("{token}") ? $0.path : nil } ?? request.path.bounded(to: 200)
        parts.log.error("a request failed", ["method": "\(request.method)", "path": "\(path)", "error": "\(error)"])
        return Problem(.internalError, "the log has the details")
    }

    private static func problem(_ failure: BroadcastDirector.Failure) -> Problem {
        switch failure {
        case .noSuchSender: Problem(.notFound, "there is no such sender")
        case .noSuchBroadcast: Problem(.notFound, "there is no such broadcast")
        case .noSuchOutput: Problem(.notFound, "the broadcast has no such output")
        case .isOver: Problem(.gone, "the broadcast is over")
        case .noSuchDestination(let id):
            Problem(.invalid, faults: [.init(field: "destination", expected: "one of your own; there is no \(id)")])
        case .senderOffline: Problem(.conflict, "the sender is offline; it can be started when it is connected")
        case .busy(let id): Problem(.conflict, "the sender already has a broadcast (\(id)); stop it first")
        case .noSuchRehearsal: Problem(.notFound, "there is no such rehearsal")
        case .rehearsing: Problem(.conflict, "the sender is rehearsing already; stop that first")
        case .isStarting: Problem(.conflict, "a broadcast of that sender is just being started")
        case .twice(let id, let name):
            Problem(.invalid, faults: [.init(field: "destination", expected: "each destination once; '\(name)' (\(id)) is there twice")])
        case .isOutput(let id, let name):
            Problem(.conflict, "the broadcast has an output to '\(name)' (\(id)): try that one again, or remove it first")
        case .unfit(let name, let reason): Problem(.invalid, "the destination '\(name)': \(reason)")
        case .held(let field, let name, let holder):
            Problem(
                .conflict, "'\(name)' cannot listen there: \(holder)",
                faults: [.init(field: field, expected: "an SRT listener on a free port; \(holder)")])
        case .isChanging(let id): Problem(.conflict, "the destination \(id) is just being changed: try again")
        case .inUse(let name, let users):
            Problem(.conflict, "'\(name)' is in use by \(users.listed(by: ", ", within: 700)): take that output off it first, or stop it")
        case .untried(let reason): Problem(.busy, "the destination cannot be tried now: \(reason)")
        case .tooManyChanges(let limit):
            Problem(.tooMany, "\(limit) changes of this broadcast wait for the sender already: try again when it has answered")
        case .unsupported(let reason): Problem(.invalid, reason)
        case .refused(let step, let reason): Problem(.conflict, (step.map { "\($0): " } ?? "") + reason)
        case .unknown: Problem(.busy, "the sender did not answer within its time; what it does is shown when it is known")
        }
    }

    private static func problem(_ error: AuthError) -> Problem {
        switch error {
        case .badCredentials, .notAuthenticated, .tokenRefused, .tokenReused: Problem(.unauthorized, error.description)
        // Not 401: a page would refresh its token and come again, which is a second guess.
        case .wrongPassword: Problem(.invalid, faults: [.init(field: "current", expected: "the password until now")])
        case .organizationNeeded(let choices):
            Problem(.conflict, "sign in with one of: \(choices.map(\.slug).listed(by: ", ", within: 900))")
        case .notAllowed, .notInScope, .setupClosed: Problem(.forbidden, error.description)
        case .tooMany: Problem(.tooMany, error.description)
        case .busy: Problem(.busy, error.description)
        case .weakPassword(let expected): Problem(.invalid, faults: [.init(field: "password", expected: expected)])
        case .sendsNoMail, .confirmsNoMail: Problem(.conflict, error.description)
        case .hashing: Problem(.internalError, "the password could not be hashed")
        }
    }

    private static func problem(_ error: StoreError) -> Problem {
        switch error {
        case .missing(let what): Problem(.notFound, "there is no such \(what)")
        case .taken, .ownerStays, .senderBusy, .organizationBusy, .meetingIs, .rolloutRuns, .rolloutOver, .recordingRuns:
            Problem(.conflict, error.description)
        case .invalid(let field, let expected): Problem(.invalid, faults: [.init(field: field, expected: expected)])
        case .tokenRefused: Problem(.forbidden, "\(error): ask for a new one")
        case .linkRefused, .codeRefused: Problem(.gone, error.description)
        case .tokenUsed: Problem(.conflict, "the token was used by another device: ask for a new one")
        case .enrolled: Problem(.enrolled, error.description)
        case .keyRevoked: Problem(.revoked, error.description)
        case .quota, .enoughMails: Problem(.quota, error.description)
        case .diskFull: Problem(.busy, "the server's disk is full; nothing was stored")
        case .locked: Problem(.busy, "another program has locked the server's database; nothing was stored")
        case .setupClosed: Problem(.forbidden, error.description)
        case .newerDatabase, .foreignHistory: Problem(.internalError, error.description)
        }
    }
}
