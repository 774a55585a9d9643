## Panels that can be docked
pane-query = 쿼리
pane-view = 3D 보기
pane-results = 결과
pane-confidence = 신뢰도
pane-sequence = 서열
pane-compare = 비교
pane-series = 계열
pane-close = { $name } 닫기
menu-panes = 패널
panes-reset = 패널 배치 초기화
panes-saved = 저장된 배치
panes-name = 배치 이름
panes-save = 지금 배치 저장
panes-remove = 배치 { $name } 지우기
pane-jobs = 작업
pane-lessons = 배우기
