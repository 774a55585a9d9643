## Session file
dialog-save-session = 세션을 다른 이름으로 저장
session-saved-as = 세션을 { $path }에 이어서 저장해요. 앞으로도 저절로 저장돼요
session-restored = 지난번에 창이 제대로 닫히지 않았어요. 모든 것을 그때 모습으로 되돌렸어요
session-none = 이어서 할 지난 세션이 없어요
session-repaired = 세션 파일이 손상되었어요 ({ $damage }). 그 전에 저장한 것을 열었고, 손상된 파일은 옆에 남겨 두었어요
session-newer = { $path }은(는) 더 새로운 K-Fold Studio에서 저장한 파일이에요. 업데이트한 뒤 열어 주세요. 파일은 바꾸지 않았어요
session-busy = { $path }은(는) 다른 창에서 열려 있어요
