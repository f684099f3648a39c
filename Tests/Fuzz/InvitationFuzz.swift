import Wire

/// Whatever a list says, its people stand in the order of its lines and within bounds, and are the same when they are written in quotes.
package func fuzzInvitations(_ bytes: [UInt8]) -> String? {
    let list = InvitationList(String(decoding: bytes, as: UTF8.self))
    if list.entries.count + list.faults.count > InvitationList.most + 2 { return "more people than are read" }
    if zip(list.entries, list.entries.dropFirst()).contains(where: { $0.line >= $1.line }) { return "people out of their order" }
    if list.entries.contains(where: { $0.email.unicodeScalars.contains("\n") || $0.email.unicodeScalars.count > 254 }) {
        return "an address that no line has room for"
    }
    guard list.entries.count < InvitationList.most else { return nil }
    let lines = list.entries.map { "\"\($0.email.replacing("\"", with: "\"\""))\",\($0.role?.rawValue ?? "")" }
    let again = InvitationList((["email,role"] + lines).joined(separator: "\r\n"))
    let isSame = again.entries.map(\.email) == list.entries.map(\.email) && again.entries.map(\.role) == list.entries.map(\.role)
    return isSame && again.faults.isEmpty ? nil : "a list that is another one when it is written and read"
}
