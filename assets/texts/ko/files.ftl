## Files
dialog-open = 쿼리, 구조, 리간드, 서열, 계열 열기
dialog-open-run = 실행 폴더 열기
dialog-structure = 단백질 구조 선택
dialog-ligand = 리간드 선택 (SDF 또는 MOL)
dialog-series = 리간드 계열 선택 (CSV, SMI, SDF)
dialog-pocket-ligand = 포켓을 나타내는 리간드 선택
dialog-apo = 비결합 구조 선택
dialog-save-query = 쿼리 저장
dialog-export-pdb = 구조 내보내기
dialog-export-sdf = 결합 자세 내보내기
dialog-export-csv = 표 내보내기
dialog-export-png = 그림 내보내기
dialog-files = 파일
dialog-cancel = 취소
path-hint = 이 데스크톱에는 파일 대화 상자가 없어요. 경로를 쓰거나 붙여 넣으세요.
path-field = 경로
path-open = 이 파일 열기
path-write = 이 파일에 쓰기
path-missing = 이 경로에는 아무것도 없어요
path-overwrites = 이미 있는 파일이며 바뀌게 됩니다
open-missing = { $path }에 아무것도 없어요. 경로를 확인하세요.
open-unknown = { $path }은(는) 열 수 있는 파일이 아니에요. PDB, mmCIF, SDF, FASTA, CSV, 쿼리(YAML 또는 JSON), 실행 폴더를 여세요.
written-to = { $path }에 저장했어요
drop-hint = 놓으면 열려요
notice-close = 이 알림 닫기
background-busy = 지금 읽는 것이 너무 많아요. 잠시 뒤에 다시 하세요.
background-crashed = 프로그램의 결함이에요 ({ $lane }): { $what }. 잃은 것은 없어요. 알려 주세요.

## Closing
close-title = K-Fold Studio를 닫을까요?
close-running = 예측이 진행 중이에요. 창이 없어도 계속될 수 있고, 나중에 폴더를 열면 결과를 볼 수 있어요.
close-unsaved = 쿼리에 저장되지 않은 변경이 있어요
close-keep-running = 계속 실행하고 닫기
close-cancel-run = 취소하고 닫기
close-save = 쿼리 저장
close-discard = 저장하지 않고 닫기
close-stay = 닫지 않기
