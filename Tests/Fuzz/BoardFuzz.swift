import Boards
import Sheets

/// A board's file: what is read is the same when it is written and read again, and what is refused repeats no token.
package func fuzzBoardFile(_ bytes: [UInt8]) -> String? {
    guard let text = String(validating: bytes, as: UTF8.self), bytes.count <= BoardFile.byteLimit else { return nil }
    guard let file = try? BoardFile(text, source: "board") else { return nil }
    if file.servers.isEmpty { return "no server" }
    if file.text.revealed.utf8.count > 4 * BoardFile.byteLimit { return "more than was read" }
    guard let again = try? BoardFile(file.text.revealed, source: "board") else { return "a file that cannot be read once it is written" }
    return again == file ? nil : "a file that is another one when it is written and read"
}

/// A list of boards: plain names, each once, and files that lie beside it.
package func fuzzBoardList(_ bytes: [UInt8]) -> String? {
    guard let list = try? BoardList(bytes) else { return nil }
    if list.entries.count > BoardList.limit || list.entries.count > bytes.count { return "more boards than there is room for" }
    if Set(list.entries.map(\.name)).count != list.entries.count { return "a name twice" }
    for entry in list.entries {
        if entry.name.isEmpty || entry.name.contains("\n") { return "a name that is none" }
        let parts = (entry.configuration ?? "a").utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.contains(where: { $0.isEmpty || $0.elementsEqual("..".utf8) }) { return "a file elsewhere" }
    }
    func quoted(_ text: String) -> String { "\"" + text.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\"" }
    let lines = list.entries.map { "\(quoted($0.name)),\(quoted($0.configuration ?? ""))\n" }.joined()
    // Quoted it may be longer than what may be read.
    let written = Array(("name,configuration\n" + lines).utf8)
    guard written.count <= 256 << 10 else { return nil }
    return (try? BoardList(written)) == list ? nil : "a list that is another one when it is written and read"
}
