// A modem that is stuck is restarted.
import DBus
import Logging
import Posix
import Wire

/// Why a modem did not do what a person wanted.
package struct ModemFault: Error, Sendable {
    /// For a person.
    package let reason: String
}

extension ModemWatcher {
    /// All of it is shorter than the patience of whoever ordered it (`WireLimits.commandSeconds`).
    private static let resetTime = Duration.seconds(6)
    private static let switchTime = Duration.milliseconds(4500)

    /// Restarts a modem: it goes from the bus and comes back as another object. One that cannot is switched off and on.
    /// - Returns: how, where that was not by its own reset.
    package func reset(_ modem: Modem) async throws(ModemFault) -> String? {
        guard resets.insert(modem.path).inserted else { throw ModemFault(reason: "it is being reset") }
        works.removeValue(forKey: modem.path)?.cancel()
        connections[modem.path] = nil
        defer {
            resets.remove(modem.path)
            publish()
        }
        log.notice("a modem is reset", ["modem": .text(modem.figures.model), "id": .text(modem.figures.id)])
        do throws(StageFault) {
            _ = try await ask(MethodCall(Names.service, modem.path, Names.modem, "Reset"), timeout: Self.resetTime)
            return nil
        } catch {
            guard error.isUnsupported else { throw ModemFault(reason: "it cannot be reset: \(error.reason)") }
        }
        for on in [false, true] {
            do throws(StageFault) {
                let call = MethodCall(Names.service, modem.path, Names.modem, "Enable", [.boolean(on)])
                _ = try await ask(call, timeout: Self.switchTime)
            } catch {
                if on, error.isUnanswered {
                    throw ModemFault(reason: "it knows no reset, and was switched off: whether it came on again is not known yet")
                }
                throw ModemFault(reason: "it knows no reset, and it cannot be switched \(on ? "on" : "off"): \(error.reason)")
            }
        }
        return "it knows no reset, and was switched off and on"
    }
}

extension StageFault {
    fileprivate var isUnsupported: Bool {
        guard let name else { return false }
        return name.hasSuffix(".Unsupported") || name.hasSuffix(".UnknownMethod") || name.hasSuffix(".NotImplemented")
    }
}
