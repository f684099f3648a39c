/// How this host's outputs get into the rooms of the control that it belongs to: by a process of this program, which is told by these words alone
/// where that control is. Nobody who asks for an output says where it goes.
package struct RoomEntrance: Sendable, Hashable {
    let program: String
    let arguments: [String]

    /// - Parameters:
    ///   - program: `strata-receiver`.
    ///   - arguments: its verb, and where control is.
    package init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }
}
