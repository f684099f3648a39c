/// A message that is refused, with the status that says so and the reason for a person.
package struct HTTPFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let status: Status
    package let reason: String

    package init(_ status: Status, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    static func bad(_ reason: String) -> HTTPFault { HTTPFault(.badRequest, reason) }

    package var description: String { "\(status.code) \(status.reason): \(reason)" }
}
